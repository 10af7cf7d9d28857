"""A client that grpcio-tools makes of `caisson proto`: a round trip. Usage: grpc_client.py HOST:PORT TOKEN"""
import sys

import grpc
from google.protobuf import field_mask_pb2, struct_pb2
from library.v1 import library_pb2 as pb
from library.v1 import library_pb2_grpc as services

address, token = sys.argv[1:3]
channel = grpc.insecure_channel(address)
authors, books, copies = services.AuthorServiceStub(channel), services.BookServiceStub(channel), services.CopyServiceStub(channel)
mine = [('authorization', f'Bearer {token}')]


def refused(call, code):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError(f'not refused: {code}')


def mask(*paths):
    return field_mask_pb2.FieldMask(paths=paths)


author = authors.CreateAuthor(pb.CreateAuthorRequest(author=pb.Author(name='Ada', born_on='1815-12-10')), metadata=mine, timeout=20)
assert author.id and author.name == 'Ada' and not author.HasField('homepage'), author

extra = struct_pb2.Value()
extra.struct_value.update({'shelf': 3, 'tags': ['a', None]})
book = pb.Book(isbn='9780000000001', title='Notes', blurb='On the engine', pages=66, price='12.50', weight=0.25, sold=1 << 60, topics=['engines', 'numbers'],
               cover=b'\x00\xff', extra=extra, author_id=author.id)
made = books.CreateBook(pb.CreateBookRequest(book=book), metadata=mine, timeout=20)
assert made.HasField('added_at') and made.added_at.seconds > 1_700_000_000, made
made.ClearField('added_at')
assert made == book, f'{made}\n{book}'
assert refused(lambda: books.CreateBook(pb.CreateBookRequest(book=book), metadata=mine, timeout=20), grpc.StatusCode.ALREADY_EXISTS)
assert refused(lambda: books.CreateBook(pb.CreateBookRequest(book=book), timeout=20), grpc.StatusCode.UNAUTHENTICATED)

read = books.GetBook(pb.GetBookRequest(isbn=book.isbn, read_mask=mask('title', 'author.name')), timeout=20)
assert read == pb.Book(title='Notes', author=pb.Author(name='Ada')), read

changed = books.UpdateBook(pb.UpdateBookRequest(book=pb.Book(isbn=book.isbn, pages=0), update_mask=mask('pages', 'blurb')), metadata=mine, timeout=20)
assert changed.HasField('pages') and changed.pages == 0 and not changed.HasField('blurb') and changed.price == '12.50', changed

batch = pb.BatchCreateCopiesRequest(requests=[pb.CreateCopyRequest(copy=pb.Copy(branch='NORTH', number=n, book_isbn=book.isbn)) for n in (1, 2, 3)])
assert [copy.state for copy in copies.BatchCreateCopies(batch, metadata=mine, timeout=20).copies] == [pb.COPY_STATE_SHELF] * 3

page = copies.ListCopies(pb.ListCopiesRequest(filter='number > 0', order_by='number desc', page_size=2, show_total=True), metadata=mine, timeout=20)
assert [copy.number for copy in page.copies] == [3, 2] and page.total_size == 3 and page.next_page_token, page
page = copies.ListCopies(pb.ListCopiesRequest(filter='number > 0', order_by='number desc', page_size=2, page_token=page.next_page_token), metadata=mine, timeout=20)
assert [copy.number for copy in page.copies] == [1] and not page.next_page_token, page

groups = copies.AggregateCopies(pb.AggregateCopiesRequest(group_by=['state'], metrics=['count', 'sum(number)']), metadata=mine, timeout=20).groups
assert len(groups) == 1 and groups[0].count == 3 and groups[0].by['state'].string_value == 'SHELF' and groups[0].sum['number'].string_value == '6', groups

copies.DeleteCopy(pb.DeleteCopyRequest(branch='NORTH', number=2), metadata=mine, timeout=20)
refused(lambda: copies.GetCopy(pb.GetCopyRequest(branch='NORTH', number=2), metadata=mine, timeout=20), grpc.StatusCode.NOT_FOUND)
refused(lambda: books.CreateBook(pb.CreateBookRequest(book=pb.Book(isbn='1', title='x', price='-1')), metadata=mine, timeout=20), grpc.StatusCode.INVALID_ARGUMENT)
print('round trip done')
