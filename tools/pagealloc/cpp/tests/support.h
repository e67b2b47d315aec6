// What the tests share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "bytes.h"

namespace pagealloc::testing {

// A directory of its own for each test, removed behind it.
class InDirectory : public ::testing::Test {
protected:
    InDirectory() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "pagealloc-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::filesystem::filesystem_error("mkdtemp", pattern, std::error_code());
        }
        folder_ = pattern;
    }
    ~InDirectory() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    InDirectory(const InDirectory&) = delete;
    InDirectory& operator=(const InDirectory&) = delete;
    InDirectory(InDirectory&&) = delete;
    InDirectory& operator=(InDirectory&&) = delete;

    [[nodiscard]] std::filesystem::path file(const std::string& name = "f") const {
        return folder_ / name;
    }

private:
    std::filesystem::path folder_;
};

inline std::string contents(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline void put(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string text_of(Bytes bytes) {
    std::string text(bytes.size(), '\0');
    std::ranges::transform(bytes, text.begin(),
                           [](std::byte byte) { return std::to_integer<char>(byte); });
    return text;
}

// A whole page as it lies in a file.
inline std::string page_text(const std::string& payload) {
    std::string page = std::string("EGAP1ESD") + std::string(8, '\0') + payload;
    page.resize(4096, '\0');
    return page;
}

// Returns the exception of class `Wanted` that `action` throws; fails the test without one.
template <typename Wanted, typename Action>
Wanted thrown(Action action) {
    try {
        action();
    } catch (const Wanted& error) {
        return error;
    }
    throw std::logic_error("nothing was thrown");
}

template <typename Wanted, typename Action>
std::string message(Action action) {
    return thrown<Wanted>(action).what();
}

}  // namespace pagealloc::testing
