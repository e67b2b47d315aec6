// Written by hand, without a parser of options: arguments count by position alone, so TEXT may
// begin with a dash, and messages are the same in every language that the command exists in.
#include "cli.h"

#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "error.h"
#include "hexdump.h"
#include "pagealloc.h"
#include "store.h"

namespace pagealloc {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view kHelp =
    R"(usage: pagealloc write [--sync-dir] FILE PAGE_NO TEXT   write TEXT into a page and sync it
       pagealloc write [--sync-dir] FILE PAGE_NO -      the same from standard input
       pagealloc read FILE PAGE_NO                      print a page's payload
       pagealloc hexdump FILE [PAGE_NO]                 print file or page as xxd does
       pagealloc verify FILE                            check every page
       pagealloc fill FILE PAGES [--threads N] [--seed S]   write pages 0 to PAGES-1
       pagealloc --help                                 print this

A page has 4096 bytes, of which 4080 are payload. --sync-dir also makes the file's
name durable. fill lets N threads (1) write pages made from seed S (0).

exit codes: 0 done
            1 the file does not hold what it should
            2 wrong arguments; nothing was touched
            3 the system refused; the file has its old size
            4 the sync failed; the page may not be on the disk
)";

constexpr std::string_view kHint = " (see pagealloc --help)";
constexpr std::string_view kSyncDir = "--sync-dir";
constexpr std::string_view kThreads = "--threads";
constexpr std::string_view kSeed = "--seed";

bool fits_write(Words given) { return given.size() == (given.front() == kSyncDir ? 4 : 3); }

void write(Words given, const Streams& streams) {
    const auto last = given.last<3>();
    const auto page_no = page_number(last[1]);
    const auto sync_dir = given.size() > last.size() ? SyncDirectory::kYes : SyncDirectory::kNo;
    if (last[2] == "-") {
        write_page(last[0], page_no, standard_input(streams), sync_dir);
    } else {
        write_page(last[0], page_no, bytes_of(last[2]), sync_dir);
    }
}

void read(Words given, const Streams& streams) {
    const auto payload = read_page(given[0], page_number(given[1]));
    Bytes text = payload;
    while (!text.empty() && text.back() == std::byte{0}) {
        text = text.first(text.size() - 1);
    }
    say(streams, text);
}

void dump(Words given, const Streams& streams) {
    const auto show = [&](std::int64_t page_no, Bytes page) {
        say(streams, bytes_of(hexdump(page, offset_of(page_no))));
    };
    if (given.size() == 1) {
        visit_pages(given[0], show);
    } else {
        const auto page_no = page_number(given[1]);
        show(page_no, read_raw(given[0], page_no));
    }
}

void verify(Words given, const Streams& streams) {
    const std::string name(given[0]);
    std::int64_t pages = 0;
    std::int64_t bad = 0;
    visit_pages(name, [&](std::int64_t page_no, Bytes page) {
        ++pages;
        if (const auto fault = fault_of(page)) {
            ++bad;
            complain(streams, place(name, page_no) + ": " + *fault);
        }
    });
    if (bad != 0) {
        throw ContentError(name + ": bad pages: " + std::to_string(bad) + " of " +
                           std::to_string(pages));
    }
    say(streams, bytes_of(name + ": good pages: " + std::to_string(pages) + "\n"));
}

bool is_option(std::string_view word) { return word == kThreads || word == kSeed; }

// FILE and PAGES, and behind them pairs of an option and its value, each option at most once.
bool fits_fill(Words given) {
    if (given.size() % 2 != 0) {
        return false;
    }
    const bool known = given.size() < 4 || is_option(given[2]);
    const bool both = given.size() < 6 || (is_option(given[4]) && given[4] != given[2]);
    return known && both;
}

// A value may look like an option, so only every second word is one.
std::string_view value_of(std::string_view option, Words options, std::string_view otherwise) {
    for (; !options.empty(); options = options.subspan(2)) {
        if (options[0] == option) {
            return options[1];
        }
    }
    return otherwise;
}

void fill(Words given, const Streams& /*streams*/) {
    const auto options = given.subspan(2);
    const auto pages = page_count(given[1]);
    const auto threads = thread_count(value_of(kThreads, options, "1"));
    const auto seed = seed_number(value_of(kSeed, options, "0"));
    fill_pages(given[0], pages, {.threads = threads, .seed = seed});
}

bool fits_any(Words /*given*/) { return true; }

struct Command {
    std::string_view name;
    std::string_view wanted;
    std::size_t fewest;
    std::size_t most;
    bool (*fits)(Words);  // asked where the number of words is right
    void (*run)(Words, const Streams&);
};

constexpr std::array kCommands{
    Command{"write", "FILE PAGE_NO TEXT", 3, 4, fits_write, write},
    Command{"read", "FILE PAGE_NO", 2, 2, fits_any, read},
    Command{"hexdump", "FILE [PAGE_NO]", 1, 2, fits_any, dump},
    Command{"verify", "FILE", 1, 1, fits_any, verify},
    Command{"fill", "FILE PAGES [--threads N] [--seed S]", 2, 6, fits_fill, fill},
};

void dispatch(Words words, const Streams& streams) {
    if (words.empty()) {
        throw ArgumentError("no command given" + std::string(kHint));
    }
    if (words.front() == "--help" || words.front() == "-h") {
        say(streams, bytes_of(kHelp));
        return;
    }
    const auto* const command = std::ranges::find(kCommands, words.front(), &Command::name);
    if (command == kCommands.end()) {
        throw ArgumentError("unknown command: " + std::string(words.front()) + std::string(kHint));
    }
    const auto given = words.subspan(1);
    if (given.size() < command->fewest || given.size() > command->most || !command->fits(given)) {
        throw ArgumentError(std::string(command->name) + " takes " + std::string(command->wanted) +
                            std::string(kHint));
    }
    command->run(given, streams);
}

}  // namespace

int run(std::span<const char* const> arguments, const Streams& streams) noexcept {
    try {
        const std::vector<std::string_view> words(arguments.begin(), arguments.end());
        dispatch(words, streams);
        return 0;
    } catch (const Error& error) {
        complain(streams, error.what());
        return error.exit_code();
    } catch (const std::exception& error) {  // no memory
        complain(streams, error.what());
        return 3;
    }
}

}  // namespace pagealloc
