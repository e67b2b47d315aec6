#include "arguments.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "error.h"
#include "page.h"
#include "pagealloc.h"

namespace pagealloc {
namespace {

// Not std::isdigit: the locale has no say here.
bool all_digits(std::string_view text) noexcept {
    return !text.empty() &&
           std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

// Returns the number that `text` spells in digits, nothing unless it is one from 0 to `most`.
std::optional<std::uint64_t> decimal(std::string_view text, std::uint64_t most) noexcept {
    std::uint64_t number = 0;
    if (!all_digits(text) ||
        std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc() ||
        number > most) {
        return std::nullopt;
    }
    return number;
}

std::int64_t counted(std::string_view text, const std::string& what, std::int64_t most) {
    if (text.starts_with('-') && all_digits(text.substr(1))) {
        throw ArgumentError(what + " is negative: " + std::string(text));
    }
    if (!all_digits(text)) {
        throw ArgumentError(what + " is not a decimal number: " + std::string(text));
    }
    const auto number = decimal(text, static_cast<std::uint64_t>(most));
    if (!number) {
        throw ArgumentError(what + " is over " + std::to_string(most) + ": " + std::string(text));
    }
    return static_cast<std::int64_t>(*number);
}

}  // namespace

std::int64_t page_number(std::string_view text) {
    return counted(text, "page number", kLastPageNo);
}

std::int64_t page_count(std::string_view text) { return counted(text, "page count", kPagesMax); }

int thread_count(std::string_view text) {
    const auto number = decimal(text, kThreadsMax).value_or(0);
    if (number == 0) {
        throw ArgumentError("threads must be 1 to " + std::to_string(kThreadsMax) + ": " +
                            std::string(text));
    }
    return static_cast<int>(number);
}

std::uint64_t seed_number(std::string_view text) {
    const auto number = decimal(text, std::numeric_limits<std::uint64_t>::max());
    if (!number) {
        throw ArgumentError("seed is not an unsigned 64-bit number: " + std::string(text));
    }
    return *number;
}

}  // namespace pagealloc
