// main.go - a round trip through the package that oapi-codegen made of the document. The base address and a token come from the command line.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"caisson.test/client/library"
)

const isbn = "9780000000301"

func must(holds bool, what string, seen any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%s: %+v\n", what, seen)
		os.Exit(1)
	}
}

func pointer[T any](value T) *T { return &value }

func connect(base, token string) *library.ClientWithResponses {
	authorise := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	client, err := library.NewClientWithResponses(base, library.WithRequestEditorFn(authorise))
	must(err == nil, "client", err)
	return client
}

func create(ctx context.Context, client *library.ClientWithResponses) {
	var price library.BookCreate_Price
	var input library.BookCreateInput
	must(price.FromBookCreatePrice0("12.50") == nil, "price", price)
	book := library.BookCreate{Isbn: isbn, Title: "On Caissons", Pages: pointer(int32(96)), Price: &price, Topics: &[]string{"bridges"}}
	must(input.FromBookCreate(book) == nil, "input", input)
	answer, err := client.CreateBookWithResponse(ctx, nil, input)
	must(err == nil && answer.StatusCode() == http.StatusCreated, "create", answer)
	created, err := answer.JSON201.AsBook()
	must(err == nil && *created.Isbn == isbn && *created.Price == "12.50", "created", created)
}

func list(ctx context.Context, client *library.ClientWithResponses) {
	conditions := library.BookPrice{Gte: pointer("12"), Lt: pointer("13.5")}
	answer, err := client.ListBooksWithResponse(ctx, &library.ListBooksParams{Price: &conditions, Sort: pointer("-addedAt,title"), Limit: pointer(5)})
	must(err == nil && answer.StatusCode() == http.StatusOK, "list", answer)
	isThere := false
	for _, book := range answer.JSON200.Items {
		isThere = isThere || *book.Isbn == isbn
	}
	must(isThere, "list", string(answer.Body))
}

func change(ctx context.Context, client *library.ClientWithResponses) {
	changed, err := client.UpdateBookWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, isbn, nil, library.BookUpdate{Pages: pointer(int32(97))})
	must(err == nil && changed.StatusCode() == http.StatusOK && *changed.JSON200.Pages == 97, "change", changed)
	wrong, err := client.UpdateBookWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, isbn, nil, library.BookUpdate{Pages: pointer(int32(-1))})
	must(err == nil && wrong.ApplicationProblemJSON422 != nil, "refused", wrong)
	must((*wrong.ApplicationProblemJSON422.Errors)[0].Pointer == "/pages", "pointer", string(wrong.Body))
}

func remove(ctx context.Context, client *library.ClientWithResponses) {
	removed, err := client.DeleteBookWithResponse(ctx, isbn, nil)
	must(err == nil && removed.StatusCode() == http.StatusNoContent, "delete", removed)
	gone, err := client.GetBookWithResponse(ctx, isbn, nil)
	must(err == nil && gone.ApplicationProblemJSON404 != nil && strings.HasSuffix(gone.ApplicationProblemJSON404.Type, "not-found"), "gone", gone)
}

func main() {
	ctx := context.Background()
	client := connect(os.Args[1], os.Args[2])
	create(ctx, client)
	list(ctx, client)
	change(ctx, client)
	remove(ctx, client)
	fmt.Println("round trip done")
}
