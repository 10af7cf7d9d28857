// reference.go - the same questions as regex_tool.c's, answered by Go's regexp, whose language is RE2's.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
)

type question struct {
	Pattern string
	Texts   []string
}

type answer struct {
	Error   string `json:"error,omitempty"`
	Matches []bool `json:"matches"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var asked question
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			panic(err)
		}
		told := answer{Matches: []bool{}}
		compiled, err := regexp.Compile(asked.Pattern)
		if err != nil {
			told.Error = err.Error()
		}
		for _, text := range asked.Texts {
			if err == nil {
				told.Matches = append(told.Matches, compiled.MatchString(text))
			}
		}
		if err := out.Encode(told); err != nil {
			panic(err)
		}
	}
}
