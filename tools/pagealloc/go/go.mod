module pagealloc

// What Debian 12 ships, so that apt-get install golang-go is enough.
go 1.19

require golang.org/x/sys v0.30.0
