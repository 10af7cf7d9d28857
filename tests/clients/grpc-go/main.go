// A client that protoc-gen-go and protoc-gen-go-grpc make of `caisson proto`: a round trip. Usage: client HOST:PORT TOKEN
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"

	pb "caisson.example/client/library/v1"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func expect(holds bool, what any) {
	if !holds {
		log.Fatalf("unexpected: %v", what)
	}
}

func refused[T any](wanted codes.Code) func(T, error) {
	return func(_ T, err error) { expect(status.Code(err) == wanted, err) }
}

func main() {
	address, token := os.Args[1], os.Args[2]
	connection := must(grpc.Dial(address, grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer connection.Close()
	stranger, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	mine := metadata.AppendToOutgoingContext(stranger, "authorization", "Bearer "+token)
	authors, books, copies := pb.NewAuthorServiceClient(connection), pb.NewBookServiceClient(connection), pb.NewCopyServiceClient(connection)

	author := must(authors.CreateAuthor(mine, &pb.CreateAuthorRequest{Author: &pb.Author{Name: "Ada", BornOn: proto.String("1815-12-10")}}))
	expect(author.Id != "" && author.Name == "Ada" && author.Homepage == nil, author)

	book := &pb.Book{
		Isbn: "9780000000001", Title: "Notes", Blurb: proto.String("On the engine"), Pages: proto.Int32(66), Price: proto.String("12.50"),
		Weight: proto.Float64(0.25), Sold: proto.Int64(1 << 60), Topics: []string{"engines", "numbers"}, Cover: []byte{0, 255},
		Extra: must(structpb.NewValue(map[string]any{"shelf": 3, "tags": []any{"a", nil}})), AuthorId: proto.String(author.Id),
	}
	made := must(books.CreateBook(mine, &pb.CreateBookRequest{Book: book}))
	expect(made.AddedAt.AsTime().After(time.Unix(1_700_000_000, 0)), made)
	made.AddedAt = nil
	expect(proto.Equal(made, book), made)
	refused[*pb.Book](codes.AlreadyExists)(books.CreateBook(mine, &pb.CreateBookRequest{Book: book}))
	refused[*pb.Book](codes.Unauthenticated)(books.CreateBook(stranger, &pb.CreateBookRequest{Book: book}))

	mask := must(fieldmaskpb.New(&pb.Book{}, "title", "author.name"))
	read := must(books.GetBook(stranger, &pb.GetBookRequest{Isbn: book.Isbn, ReadMask: mask}))
	expect(proto.Equal(read, &pb.Book{Title: "Notes", Author: &pb.Author{Name: "Ada"}}), read)

	changed := must(books.UpdateBook(mine, &pb.UpdateBookRequest{Book: &pb.Book{Isbn: book.Isbn, Pages: proto.Int32(0)}, UpdateMask: must(fieldmaskpb.New(&pb.Book{}, "pages", "blurb"))}))
	expect(changed.Pages != nil && *changed.Pages == 0 && changed.Blurb == nil, changed)

	var requests []*pb.CreateCopyRequest
	for number := int32(1); number <= 3; number++ {
		requests = append(requests, &pb.CreateCopyRequest{Copy: &pb.Copy{Branch: "NORTH", Number: number, BookIsbn: book.Isbn}})
	}
	batch := must(copies.BatchCreateCopies(mine, &pb.BatchCreateCopiesRequest{Requests: requests}))
	expect(len(batch.Copies) == 3 && *batch.Copies[0].State == pb.CopyState_COPY_STATE_SHELF, batch)

	page := must(copies.ListCopies(mine, &pb.ListCopiesRequest{OrderBy: "number desc", PageSize: 2, ShowTotal: true}))
	expect(len(page.Copies) == 2 && page.Copies[0].Number == 3 && *page.TotalSize == 3, page)
	page = must(copies.ListCopies(mine, &pb.ListCopiesRequest{OrderBy: "number desc", PageSize: 2, PageToken: page.NextPageToken}))
	expect(len(page.Copies) == 1 && page.Copies[0].Number == 1 && page.NextPageToken == "", page)

	groups := must(copies.AggregateCopies(mine, &pb.AggregateCopiesRequest{GroupBy: []string{"state"}, Metrics: []string{"count", "sum(number)"}})).Groups
	expect(len(groups) == 1 && *groups[0].Count == 3 && groups[0].Sum["number"].GetStringValue() == "6", groups)

	must(copies.DeleteCopy(mine, &pb.DeleteCopyRequest{Branch: "NORTH", Number: 2}))
	refused[*pb.Copy](codes.NotFound)(copies.GetCopy(mine, &pb.GetCopyRequest{Branch: "NORTH", Number: 2}))
	fmt.Println("round trip done")
}
