// The JVM: RandomAccessFile and FileChannel, in the main thread and one more.
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

public final class Files {
    private Files() {}

    private static void work() {
        try (FileChannel own =
                FileChannel.open(
                        Path.of("t"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            // EXPECT[worker] openat(t, O_WRONLY|O_CREAT) = ok
            own.write(ByteBuffer.allocateDirect(512), 4096);
            // EXPECT[worker] pwrite64(t, 512, 4096) = 512
            own.position(100);
            // EXPECT[worker] lseek(t, 100, SEEK_SET) = 100
            own.write(ByteBuffer.allocateDirect(50));
            // EXPECT[worker] write(t, 50) = 50 @100
            own.force(false);
            // EXPECT[worker] fdatasync(t) = 0
            // EXPECT[worker] close(t) = 0
        } catch (java.io.IOException error) {
            throw new AssertionError(error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        try (RandomAccessFile f = new RandomAccessFile("f", "rw")) {
            // EXPECT openat(f, O_RDWR|O_CREAT) = ok
            f.seek(4096);
            // EXPECT lseek(f, 4096, SEEK_SET) = 4096
            f.write(new byte[512]);
            // EXPECT write(f, 512) = 512 @4096
            f.getFD().sync();
            // EXPECT fsync(f) = 0
            // EXPECT close(f) = 0
        }
        Thread worker = new Thread(Files::work);
        worker.start();
        worker.join();
    }
}
