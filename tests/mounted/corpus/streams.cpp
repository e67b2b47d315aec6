// C++: RAII around descriptors, a stream, and threads that share nothing.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

void must(bool fine, const char* what)
{
    if (!fine) {
        std::perror(what);
        std::_Exit(1);
    }
}

class File {
public:
    explicit File(const std::string& name) : fd_(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644))
    {
        must(fd_ >= 0, "open");
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { must(::close(fd_) == 0, "close"); }

    void seek(off_t place) { must(::lseek(fd_, place, SEEK_SET) == place, "lseek"); }
    void write(std::size_t size)
    {
        const std::string bytes(size, 'x');
        must(::write(fd_, bytes.data(), size) == static_cast<ssize_t>(size), "write");
    }
    void sync() { must(::fdatasync(fd_) == 0, "fdatasync"); }

private:
    int fd_;
};

void work(int number)
{
    File file("t" + std::to_string(number));
    // EXPECT[worker 0-3] openat(t{i}, O_RDWR|O_CREAT|O_CLOEXEC) = ok
    file.seek(4096 * number + 10);
    // EXPECT[worker 0-3] lseek(t{i}, {4096*i+10}, SEEK_SET) = {4096*i+10}
    file.write(512);
    // EXPECT[worker 0-3] write(t{i}, 512) = 512 @{4096*i+10}
    file.sync();
    // EXPECT[worker 0-3] fdatasync(t{i}) = 0
    // EXPECT[worker 0-3] close(t{i}) = 0
}

}  // namespace

int main()
{
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; number++)
        threads.emplace_back(work, number);
    for (auto& thread : threads)
        thread.join();

    std::ofstream stream("s", std::ios::binary);
    // EXPECT openat(s, O_WRONLY|O_CREAT|O_TRUNC) = ok
    stream << "header";
    stream.seekp(8192);
    // EXPECT write(s, 6) = 6 @0
    // EXPECT lseek(s, 8192, SEEK_SET) = 8192
    stream << std::string(100, 'y') << std::flush;
    // EXPECT write(s, 100) = 100 @8192
    stream.close();
    // EXPECT close(s) = 0
    return stream ? 0 : 1;
}
