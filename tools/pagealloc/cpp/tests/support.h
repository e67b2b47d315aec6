// What the tests share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

// A new directory, removed with all that is in it.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "pagealloc-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::system_error(errno, std::generic_category(), pattern);
        }
        path_ = pattern;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    TemporaryDirectory(TemporaryDirectory&&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

// A test with a directory of its own.
class InDirectory : public ::testing::Test {
protected:
    [[nodiscard]] std::filesystem::path file(const std::string& name = "f") const {
        return directory_.path() / name;
    }

private:
    TemporaryDirectory directory_;
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
