// Node: fs in the main thread, by the synchronous calls.
const fs = require("node:fs");

const f = fs.openSync("f", "w+");
// EXPECT openat(f, O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC) = ok
fs.writeSync(f, Buffer.alloc(512), 0, 512, 4096);
// EXPECT pwrite64(f, 512, 4096) = 512
fs.writeSync(f, Buffer.alloc(100));
// EXPECT write(f, 100) = 100 @0
fs.fdatasyncSync(f);
// EXPECT fdatasync(f) = 0
fs.ftruncateSync(f, 5000);
// EXPECT ftruncate(f, 5000) = 0
fs.fsyncSync(f);
// EXPECT fsync(f) = 0
fs.closeSync(f);
// EXPECT close(f) = 0
fs.renameSync("f", "g");
// EXPECT rename(f, g) = 0
fs.unlinkSync("g");
// EXPECT unlink(g) = 0
