//go:build tools

// The generator, so that go.mod says its version.
package main

import _ "connectrpc.com/connect/cmd/protoc-gen-connect-go"
