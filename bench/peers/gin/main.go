// The table over Gin and mattn's SQLite driver: a pool of readers, one writer. PORT DATABASE
package main

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	_ "github.com/mattn/go-sqlite3"
)

type product struct {
	ID        string `json:"id"`
	SKU       string `json:"sku" binding:"required"`
	Name      string `json:"name" binding:"required,min=1,max=200"`
	Price     string `json:"price" binding:"required,numeric"`
	Stock     int    `json:"stock"`
	Number    int    `json:"number" binding:"required"`
	CreatedAt string `json:"createdAt"`
}

const columns = "id, sku, name, price, stock, number, created_at"

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func open(file string, connections int) *sql.DB {
	database := must(sql.Open("sqlite3", "file:"+file+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000"))
	database.SetMaxOpenConns(connections)
	database.SetMaxIdleConns(connections)
	return database
}

func scan(row interface{ Scan(...any) error }) (product, error) {
	var p product
	err := row.Scan(&p.ID, &p.SKU, &p.Name, &p.Price, &p.Stock, &p.Number, &p.CreatedAt)
	return p, err
}

func uuid() string {
	var b [16]byte
	_ = must(rand.Read(b[:]))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func main() {
	port, file := os.Args[1], os.Args[2]
	writer, readers := open(file, 1), open(file, 4)
	byID := must(readers.Prepare("SELECT " + columns + " FROM products WHERE id = ?"))
	page := must(readers.Prepare("SELECT " + columns + " FROM products WHERE id > ? ORDER BY id LIMIT ?"))
	insert := must(writer.Prepare("INSERT INTO products (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?)"))

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/products/:id", func(c *gin.Context) {
		p, err := scan(byID.QueryRow(c.Param("id")))
		if err != nil {
			c.Status(http.StatusNotFound)
			return
		}
		c.JSON(http.StatusOK, p)
	})
	router.GET("/products", func(c *gin.Context) {
		limit, err := strconv.Atoi(c.DefaultQuery("limit", "20"))
		if err != nil || limit > 100 {
			c.Status(http.StatusBadRequest)
			return
		}
		rows, err := page.Query(c.Query("after"), limit)
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		defer rows.Close()
		items := make([]product, 0, limit)
		for rows.Next() {
			p, err := scan(rows)
			if err != nil {
				c.Status(http.StatusInternalServerError)
				return
			}
			items = append(items, p)
		}
		var next *string
		if len(items) == limit {
			next = &items[limit-1].ID
		}
		c.JSON(http.StatusOK, gin.H{"items": items, "nextCursor": next})
	})
	router.POST("/products", func(c *gin.Context) {
		var p product
		if err := c.ShouldBindJSON(&p); err != nil {
			c.JSON(http.StatusUnprocessableEntity, gin.H{"error": err.Error()})
			return
		}
		p.ID, p.CreatedAt = uuid(), time.Now().UTC().Format(time.RFC3339Nano)
		if _, err := insert.Exec(p.ID, p.SKU, p.Name, p.Price, p.Stock, p.Number, p.CreatedAt); err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.Header("Location", "/products/"+p.ID)
		c.JSON(http.StatusCreated, p)
	})
	if err := router.Run("127.0.0.1:" + port); err != nil {
		panic(err)
	}
}
