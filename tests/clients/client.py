"""client.py - a round trip through the package that openapi-python-client made of the document. The base address and a token come from the command line."""
import sys

from library_client import AuthenticatedClient
from library_client.api.book import create_book, delete_book, get_book, list_books, replace_book
from library_client.models import Book, BookCreate, BookList, BookReplace, Problem

base_url, token = sys.argv[1:]
# This generator does not write deepObject parameters as `price[gte]`, so that conditions go into `filter`.
client = AuthenticatedClient(base_url=base_url, token=token)
isbn = "9780000000302"

created = create_book.sync(client=client, body=BookCreate(isbn=isbn, title="On Caissons", pages=96, price="12.50", topics=["bridges"]))
assert isinstance(created, Book), created
assert created.isbn == isbn and created.price == "12.50", created

found = list_books.sync(client=client, filter_="price >= 12 && title.startsWith('On')", sort="-addedAt,title", limit=5)
assert isinstance(found, BookList), found
assert isbn in [book.isbn for book in found.items], found

# Nor can it tell PATCH's two kinds of body apart, one of which is a list: PUT has one.
changed = replace_book.sync(isbn, client=client, body=BookReplace(title="On Caissons", pages=97))
assert isinstance(changed, Book) and changed.pages == 97, changed

wrong = replace_book.sync(isbn, client=client, body=BookReplace(title="On Caissons", pages=-1))
assert isinstance(wrong, Problem) and wrong.errors[0].pointer == "/pages", wrong

assert delete_book.sync_detailed(isbn, client=client).status_code == 204
assert isinstance(get_book.sync(isbn, client=client), Problem)
print("round trip done")
