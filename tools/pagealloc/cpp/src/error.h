// What can go wrong, and whose fault it is.
//
//     std::runtime_error
//     └── Error
//         ├── ContentError     1  the file does not hold what it should
//         ├── ArgumentError    2  the caller asks for what can't be; the file was not touched
//         └── SystemCallError  3  the system refused; the file has its old size
//             └── SyncError    4  the page was written, and may not be on the disk
//
// The number is the exit code of the command. Texts are the same for every C library and every
// language that the command exists in, so error numbers are put into words here.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace pagealloc {

// Returns what the errno value `number` means; "error N" for a rare one.
[[nodiscard]] std::string words(int number);

// One clear line about what went wrong; what() has no newline at its end.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    [[nodiscard]] virtual int exit_code() const noexcept = 0;
};

// A page lies beyond the end, is cut short, or is not a page of this format.
class ContentError final : public Error {
public:
    using Error::Error;
    [[nodiscard]] int exit_code() const noexcept override { return 1; }
};

// A page number or a payload that can't be; nothing was opened.
class ArgumentError final : public Error {
public:
    using Error::Error;
    [[nodiscard]] int exit_code() const noexcept override { return 2; }
};

// A system call failed or did less than it was asked to.
class SystemCallError : public Error {
public:
    // The message is `where`, a colon and the words for the errno value `number`.
    SystemCallError(const std::string& where, int number);
    SystemCallError(const std::string& message, std::error_code code)
        : Error(message), code_(code) {}

    // The error number; std::errc::io_error for a short write, which has none of its own.
    [[nodiscard]] std::error_code code() const noexcept { return code_; }
    [[nodiscard]] int exit_code() const noexcept override { return 3; }

private:
    std::error_code code_;
};

// The sync failed: whether the page is on the disk can't be known any more.
class SyncError final : public SystemCallError {
public:
    // The message is that of a SystemCallError with what `lost` says behind a semicolon.
    SyncError(const std::string& where, int number, const std::string& lost);
    [[nodiscard]] int exit_code() const noexcept override { return 4; }
};

}  // namespace pagealloc
