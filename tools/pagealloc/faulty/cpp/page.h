// What the faulty C++ programs share: their arguments, a page as it should be, and what to do when
// a call fails. Everything that matters, the calls on the file, is spelled out in each program.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

constexpr std::size_t page_size = 4096;

using Page = std::array<char, page_size>;

inline Page full_page(std::string_view payload) {
    constexpr std::string_view magic = "EGAP1ESD";
    Page page{};
    magic.copy(page.data(), magic.size());
    payload.copy(page.data() + 16, page_size - 16);
    return page;
}

struct Arguments {
    std::string file;
    long page_no;
    long offset;  // in bytes
};

inline Arguments arguments(int argc, char** argv) {
    if (argc != 2 && argc != 3) {
        std::fprintf(stderr, "usage: %s FILE [PAGE_NO]\n", argv[0]);
        std::exit(2);
    }
    const long page_no = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 0;
    return {argv[1], page_no, page_no * static_cast<long>(page_size)};
}

inline void must(bool fine, const char* call) {
    if (!fine) {
        std::perror(call);
        std::exit(1);
    }
}
