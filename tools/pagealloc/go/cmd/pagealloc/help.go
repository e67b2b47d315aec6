package main

const help = `usage: pagealloc write [--sync-dir] FILE PAGE_NO TEXT   write TEXT into a page and sync it
       pagealloc write [--sync-dir] FILE PAGE_NO -      the same from standard input
       pagealloc read FILE PAGE_NO                      print a page's payload
       pagealloc hexdump FILE [PAGE_NO]                 print file or page as xxd does
       pagealloc verify FILE                            check every page
       pagealloc fill FILE PAGES [--threads N] [--seed S]   write pages 0 to PAGES-1
       pagealloc --help                                 print this

A page has 4096 bytes, of which 4080 are payload. --sync-dir also makes the file's
name durable. fill lets N threads (1) write pages made from seed S (0).

exit codes: 0 done
            1 the file does not hold what it should
            2 wrong arguments; nothing was touched
            3 the system refused; the file has its old size
            4 the sync failed; the page may not be on the disk
`

const hint = "(see pagealloc --help)"
