// The cases of gRPC's interop client (doc/interop-test-descriptions.md of grpc/grpc) by grpc-go, with what a contract's service has in the place of
// TestService's methods; the sizes are those of the original. README.md beside this says which case is which. Prints a line for each case.
// Usage: interop HOST:PORT TOKEN
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	pb "caisson.example/client/library/v1"
)

const largeRequest, largeResponse = 271828, 314159

var (
	streamed = []int{27182, 8, 1828, 45904} // what client_streaming and ping_pong send
	numbers  atomic.Int64
)

func expect(holds bool, format string, values ...any) {
	if !holds {
		panic(fmt.Sprintf(format, values...))
	}
}

func expectCode(err error, wanted codes.Code) { expect(status.Code(err) == wanted, "%v, not %v", err, wanted) }

func must[T any](value T, err error) T {
	expect(err == nil, "%v", err)
	return value
}

func bookOf(size int) *pb.Book {
	return &pb.Book{Isbn: fmt.Sprintf("978%010d", numbers.Add(1)), Title: "interop", Cover: bytes.Repeat([]byte{7}, size)}
}

// How a connection's messages came: compressed, or as they are.
type watcher struct{ packed, plain atomic.Int64 }

func (w *watcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *watcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *watcher) HandleConn(context.Context, stats.ConnStats)                       {}
func (w *watcher) HandleRPC(_ context.Context, event stats.RPCStats) {
	if in, ok := event.(*stats.InPayload); ok {
		if in.CompressedLength < in.Length {
			w.packed.Add(1)
		} else {
			w.plain.Add(1)
		}
	}
}

type world struct {
	address string
	ctx     context.Context
	channel *grpc.ClientConn
	books   pb.BookServiceClient
	came    *watcher
}

func dial(address string, came *watcher) *grpc.ClientConn {
	return must(grpc.Dial(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(came)))
}

func (w *world) largeUnary(books pb.BookServiceClient, options ...grpc.CallOption) {
	sent := bookOf(largeResponse)
	made := must(books.CreateBook(w.ctx, &pb.CreateBookRequest{Book: sent}, options...))
	expect(bytes.Equal(made.Cover, sent.Cover), "%d bytes came back", len(made.Cover))
}

func (w *world) importBooks(options ...grpc.CallOption) {
	stream := must(w.books.ImportBooks(w.ctx, options...))
	for _, size := range streamed {
		expect(stream.Send(&pb.ImportBooksRequest{Book: bookOf(size)}) == nil, "the stream ended")
	}
	expect(must(stream.CloseAndRecv()).CreatedCount == int64(len(streamed)), "not all were created")
}

func (w *world) exportBooks(options ...grpc.CallOption) (count int) {
	stream := must(w.books.ExportBooks(w.ctx, &pb.ExportBooksRequest{OrderBy: "isbn"}, options...))
	for last := ""; ; count++ {
		row, err := stream.Recv()
		if err == io.EOF {
			return count
		}
		expect(err == nil && row.Book.Isbn > last, "%v behind %s: %v", row, last, err)
		last = row.Book.Isbn
	}
}

// Sync's first message says what is watched: nothing that comes here.
func (w *world) sync(ctx context.Context) pb.BookService_SyncBooksClient {
	stream := must(w.books.SyncBooks(ctx))
	expect(stream.Send(&pb.SyncBooksRequest{RequestId: "watch", Action: &pb.SyncBooksRequest_Watch{Watch: &pb.WatchBooksRequest{Filter: `title == "nowhere"`}}}) == nil, "the stream ended")
	expect(must(stream.Recv()).RequestId == "watch", "not the watch's answer")
	return stream
}

func (w *world) create(stream pb.BookService_SyncBooksClient, id string, size int) {
	expect(stream.Send(&pb.SyncBooksRequest{RequestId: id, Action: &pb.SyncBooksRequest_Create{Create: &pb.CreateBookRequest{Book: bookOf(size)}}}) == nil, "the stream ended")
	answer := must(stream.Recv())
	expect(answer.RequestId == id && len(answer.GetResult().GetBook().GetCover()) == size, "%s: %v", id, answer.RequestId)
}

// Until the stream ends, with its error.
func drain[T any](receive func() (T, error)) error {
	for {
		if _, err := receive(); err != nil {
			return err
		}
	}
}

type interopCase struct {
	name string
	run  func(w *world)
}

var cases = []interopCase{
	{"empty_unary", func(w *world) {
		answer := must(w.books.ListBooks(w.ctx, &pb.ListBooksRequest{}))
		expect(proto.Size(answer) == 0, "%v is not empty", answer)
	}},
	{"large_unary", func(w *world) { w.largeUnary(w.books) }},
	{"client_compressed_unary", func(w *world) { w.largeUnary(w.books, grpc.UseCompressor(gzip.Name)) }},
	{"server_compressed_unary", func(w *world) {
		before := w.came.packed.Load()
		w.largeUnary(w.books) // grpc-go accepts gzip
		expect(w.came.packed.Load() == before+1, "the answer was not compressed")
		before = w.came.packed.Load()
		must(w.books.ListBooks(w.ctx, &pb.ListBooksRequest{PageSize: 1, Filter: `title == "nowhere"`}))
		expect(w.came.packed.Load() == before, "an answer that gets no smaller by it was compressed")
	}},
	{"client_streaming", func(w *world) { w.importBooks() }},
	{"client_compressed_streaming", func(w *world) { w.importBooks(grpc.UseCompressor(gzip.Name)) }},
	{"server_streaming", func(w *world) { expect(w.exportBooks() >= 2*len(streamed), "rows are missing") }},
	{"server_compressed_streaming", func(w *world) {
		before := w.came.packed.Load()
		w.exportBooks()
		expect(w.came.packed.Load() > before, "no row was compressed")
	}},
	{"ping_pong", func(w *world) {
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel() // who has no more to write may go on watching
		stream := w.sync(ctx)
		for i, size := range streamed {
			w.create(stream, fmt.Sprint(i), size)
		}
	}},
	{"empty_stream", func(w *world) {
		stream := must(w.books.ImportBooks(w.ctx))
		expect(must(stream.CloseAndRecv()).CreatedCount == 0, "something was created")
	}},
	{"custom_metadata", func(w *world) {
		var head metadata.MD
		ctx := metadata.AppendToOutgoingContext(w.ctx, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-of-nobody-bin", "\xab\xab\xab")
		must(w.books.ListBooks(ctx, &pb.ListBooksRequest{PageSize: 1}, grpc.Header(&head)))
		traces := head.Get("traceparent")
		expect(len(traces) == 1 && strings.HasPrefix(traces[0], "00-0af7651916cd43dd8448eb211c80319c-"), "%v", head)
	}},
	{"status_code_and_message", func(w *world) {
		_, err := w.books.GetBook(w.ctx, &pb.GetBookRequest{Isbn: "nowhere"})
		expectCode(err, codes.NotFound)
		expect(status.Convert(err).Message() != "", "no message")
		stream := must(w.books.ExportBooks(w.ctx, &pb.ExportBooksRequest{Filter: "("}))
		err = drain(stream.Recv)
		expectCode(err, codes.InvalidArgument)
		expect(status.Convert(err).Message() != "", "no message")
	}},
	{"special_status_message", func(w *world) {
		_, err := w.books.ListBooks(w.ctx, &pb.ListBooksRequest{OrderBy: "☺😈"})
		expectCode(err, codes.InvalidArgument)
		expect(strings.Contains(status.Convert(err).Message(), "☺😈"), "%v", err)
	}},
	{"unimplemented_method", func(w *world) {
		expectCode(w.channel.Invoke(w.ctx, "/library.v1.BookService/UnimplementedCall", &emptypb.Empty{}, &emptypb.Empty{}), codes.Unimplemented)
	}},
	{"unimplemented_service", func(w *world) {
		expectCode(w.channel.Invoke(w.ctx, "/grpc.testing.UnimplementedService/UnimplementedCall", &emptypb.Empty{}, &emptypb.Empty{}), codes.Unimplemented)
	}},
	{"cancel_after_begin", func(w *world) {
		ctx, cancel := context.WithCancel(w.ctx)
		stream := must(w.books.ImportBooks(ctx))
		cancel()
		_, err := stream.CloseAndRecv()
		expectCode(err, codes.Canceled)
	}},
	{"cancel_after_first_response", func(w *world) {
		ctx, cancel := context.WithCancel(w.ctx)
		stream := w.sync(ctx)
		w.create(stream, "one", 27182)
		cancel()
		expectCode(drain(stream.Recv), codes.Canceled)
	}},
	{"timeout_on_sleeping_server", func(w *world) {
		ctx, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
		defer cancel()
		stream, err := w.books.WatchBooks(ctx, &pb.WatchBooksRequest{})
		if err == nil {
			err = drain(stream.Recv)
		}
		expectCode(err, codes.DeadlineExceeded)
	}},
	{"concurrent_large_unary", func(w *world) {
		large := must(w.books.CreateBook(w.ctx, &pb.CreateBookRequest{Book: bookOf(largeResponse)}))
		var all sync.WaitGroup
		failures := make(chan error, 100)
		for i := 0; i < 100; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				read, err := w.books.GetBook(w.ctx, &pb.GetBookRequest{Isbn: large.Isbn})
				if err == nil && !bytes.Equal(read.Cover, large.Cover) {
					err = fmt.Errorf("%d bytes", len(read.Cover))
				}
				if err != nil {
					failures <- err
				}
			}()
		}
		all.Wait()
		if len(failures) > 0 {
			panic(fmt.Sprintf("%d of 100 failed, one: %v", len(failures), <-failures))
		}
	}},
	{"rpc_soak", func(w *world) {
		for i := 0; i < 100; i++ {
			w.largeUnary(w.books)
		}
	}},
	{"channel_soak", func(w *world) {
		for i := 0; i < 30; i++ {
			channel := dial(w.address, w.came)
			w.largeUnary(pb.NewBookServiceClient(channel))
			channel.Close()
		}
	}},
}

// A panic is the case's failure.
func (one interopCase) holds(w *world) (holds bool) {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Printf("not ok %s: %v\n", one.name, failure)
			holds = false
		}
	}()
	one.run(w)
	fmt.Printf("ok %s\n", one.name)
	return true
}

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+os.Args[2]), 100*time.Second)
	defer cancel()
	came := &watcher{}
	w := &world{address: os.Args[1], ctx: ctx, came: came, channel: dial(os.Args[1], came)}
	w.books = pb.NewBookServiceClient(w.channel)
	failed := 0
	for _, one := range cases {
		if !one.holds(w) {
			failed++
		}
	}
	if failed > 0 {
		log.Fatalf("%d of %d cases failed", failed, len(cases))
	}
	fmt.Println("round trip done")
}
