// Commits keys to a bbolt database and says of each that it is durable: bolt [--no-sync] FILE FIRST COUNT.
// With check instead: opens FILE as after a restart, and fails unless it is whole and has the keys named.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("rows")

func main() {
	log.SetFlags(0)
	arguments := os.Args[1:]
	switch {
	case len(arguments) >= 2 && arguments[0] == "check":
		check(arguments[1], arguments[2:])
	case len(arguments) == 4 && arguments[0] == "no-sync":
		write(arguments[1:], true)
	case len(arguments) == 4 && arguments[0] == "sync":
		write(arguments[1:], false)
	default:
		log.Fatal("usage: bolt sync|no-sync FILE FIRST COUNT, bolt check FILE [KEY...]")
	}
}

// write commits COUNT rows from FIRST on, each in a transaction of its own.
func write(arguments []string, noSync bool) {
	first, err := strconv.Atoi(arguments[1])
	must(err)
	count, err := strconv.Atoi(arguments[2])
	must(err)
	db, err := bolt.Open(arguments[0], 0o644, &bolt.Options{NoSync: noSync})
	must(err)
	for number := first; number < first+count; number++ {
		key := fmt.Sprintf("row%04d", number)
		must(db.Update(func(tx *bolt.Tx) error {
			rows, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			return rows.Put([]byte(key), make([]byte, 700))
		}))
		// Refused with EEXIST: it is a word to tracefs.
		_ = syscall.Mkdir(".ack:"+key, 0o755)
	}
	must(db.Close())
}

// check opens the database, reads all pages, and looks for the keys.
func check(path string, keys []string) {
	if _, err := os.Stat(path); os.IsNotExist(err) && len(keys) == 0 {
		return
	}
	db, err := bolt.Open(path, 0o644, nil)
	must(err)
	must(db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			return err
		}
		rows := tx.Bucket(bucket)
		for _, key := range keys {
			if rows == nil || rows.Get([]byte(key)) == nil {
				return fmt.Errorf("acknowledged key lost: %s", key)
			}
		}
		return nil
	}))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
