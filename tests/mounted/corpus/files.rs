// Rust's standard library: which calls its methods make.
use std::fs::{self, File, OpenOptions};
use std::io::{IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::thread;

fn main() -> std::io::Result<()> {
    let mut f = OpenOptions::new().read(true).write(true).create(true).truncate(true).open("f")?;
    // EXPECT openat(f, O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC) = ok
    f.seek(SeekFrom::Start(4096))?;
    // EXPECT lseek(f, 4096, SEEK_SET) = 4096
    f.write_all(&[1; 512])?;
    // EXPECT write(f, 512) = 512 @4096
    f.seek(SeekFrom::Current(-512))?;
    // EXPECT lseek(f, -512, SEEK_CUR) = 4096
    f.write_vectored(&[IoSlice::new(&[2; 10]), IoSlice::new(&[3; 20])])?;
    // EXPECT writev(f, 30) = 30 @4096 -- unknown seccomp: length: the length is not known
    f.write_all_at(&[4; 4096], 8192)?;
    // EXPECT pwrite64(f, 4096, 8192) = 4096
    f.sync_data()?;
    // EXPECT fdatasync(f) = 0
    f.sync_all()?;
    // EXPECT fsync(f) = 0
    f.set_len(20000)?;
    // EXPECT ftruncate(f, 20000) = 0
    f.seek(SeekFrom::End(0))?;
    // EXPECT lseek(f, 0, SEEK_END) = 20000 -- unknown: result: where the file ends
    let mut copy = f.try_clone()?;
    // EXPECT fcntl(f, F_DUPFD_CLOEXEC) = ok -- unknown: result: not visible at the entry
    copy.write_all(&[5; 100])?;
    // EXPECT write(f, 100) = 100 @20000
    drop(copy);
    // EXPECT close(f) = 0
    drop(f);
    // EXPECT close(f) = 0
    thread::scope(|scope| {
        for number in 0..4u64 {
            scope.spawn(move || -> std::io::Result<()> {
                let mut own = File::create(format!("t{number}"))?;
                // EXPECT[worker 0-3] openat(t{i}, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC) = ok
                own.seek(SeekFrom::Start(number * 1000 + 1))?;
                // EXPECT[worker 0-3] lseek(t{i}, {1000*i+1}, SEEK_SET) = {1000*i+1}
                own.write_all(b"seven..")?;
                // EXPECT[worker 0-3] write(t{i}, 7) = 7 @{1000*i+1}
                // EXPECT[worker 0-3] close(t{i}) = 0
                Ok(())
            });
        }
    });
    fs::rename("f", "g")?;
    // EXPECT rename(f, g) = 0
    fs::remove_file("g")?;
    // EXPECT unlink(g) = 0
    Ok(())
}
