// Breaks `synced`: the page is written and the descriptor closed by a destructor, without any sync.
//
// Why it matters: RAII gives the descriptor back, and that is all that close(2) promises. Neither a
// destructor nor the end of the program makes anything durable.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

class Descriptor {
public:
    explicit Descriptor(const std::string& file)
        : number(::open(file.c_str(), O_RDWR | O_CREAT, 0644)) {
        must(number >= 0, "open");
    }
    ~Descriptor() { ::close(number); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    const int number;
};

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("never synced");
    const Descriptor descriptor(file);

    must(::pwrite(descriptor.number, page.data(), page.size(), offset) ==
             static_cast<ssize_t>(page.size()),
         "pwrite");
}
