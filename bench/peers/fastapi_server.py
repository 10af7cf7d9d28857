"""The table over FastAPI and Python's sqlite3, one worker of uvicorn with uvloop and httptools. PORT DATABASE"""

import sqlite3
import sys
import uuid
from datetime import UTC, datetime
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, Field

port, file = sys.argv[1:]
database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
database.row_factory = sqlite3.Row
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
COLUMNS = "id, sku, name, price, stock, number, created_at AS createdAt"


class NewProduct(BaseModel):
    sku: str
    name: Annotated[str, Field(min_length=1, max_length=200)]
    price: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")]
    stock: int = 0
    number: int


class Product(NewProduct):
    id: str
    createdAt: str


class Page(BaseModel):
    items: list[Product]
    nextCursor: str | None


app = FastAPI()


@app.get("/products/{key}")
async def get(key: str) -> Product:
    row = database.execute(f"SELECT {COLUMNS} FROM products WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise HTTPException(404)
    return Product(**row)


@app.get("/products")
async def page(limit: Annotated[int, Query(le=100)] = 20, after: str = "") -> Page:
    rows = database.execute(f"SELECT {COLUMNS} FROM products WHERE id > ? ORDER BY id LIMIT ?", (after, limit)).fetchall()
    return Page(items=[Product(**row) for row in rows], nextCursor=rows[-1]["id"] if len(rows) == limit else None)


@app.post("/products", status_code=201)
async def create(body: NewProduct, response: Response) -> Product:
    row = Product(id=str(uuid.uuid4()), createdAt=datetime.now(UTC).isoformat(), **body.model_dump())
    database.execute(
        "INSERT INTO products (id, sku, name, price, stock, number, created_at) VALUES (:id, :sku, :name, :price, :stock, :number, :createdAt)",
        row.model_dump(),
    )
    response.headers["location"] = f"/products/{row.id}"
    return row


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="critical", access_log=False)
