// Times write_page: pageloop FILE PAGES BUDGET_MS, as tools/bench/page_loop.c says.
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "pagealloc.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kFilePages = 256;
constexpr std::string_view kData = "a page of the benchmark";

std::vector<std::int64_t> measure(const std::string& path, std::int64_t pages,
                                  std::chrono::milliseconds budget) {
    std::vector<std::int64_t> spent;
    const auto end = Clock::now() + budget;
    for (std::int64_t count = 0; count < pages; ++count) {
        const auto start = Clock::now();
        pagealloc::write_page(path, count % kFilePages, pagealloc::bytes_of(kData));
        const auto stop = Clock::now();
        spent.push_back(std::chrono::nanoseconds(stop - start).count());
        if (stop >= end) {
            break;
        }
    }
    return spent;
}

int run(std::span<char*> words) {
    if (words.size() != 4) {
        std::cerr << "usage: pageloop FILE PAGES BUDGET_MS\n";
        return 2;
    }
    const std::string path = words[1];
    for (std::int64_t page_no = 0; page_no < kFilePages; ++page_no) {
        pagealloc::write_page(path, page_no, pagealloc::bytes_of(kData));
    }
    std::cout << "write_page";
    const auto budget = std::chrono::milliseconds(std::stoll(words[3]));
    for (const auto spent : measure(path, std::stoll(words[2]), budget)) {
        std::cout << ' ' << spent;
    }
    std::cout << '\n';
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv, static_cast<std::size_t>(argc)});
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
