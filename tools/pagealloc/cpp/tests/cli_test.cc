#include "cli.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "descriptor.h"
#include "generated.h"
#include "support.h"

namespace pagealloc {
namespace {

using testing::contents;
using testing::page_text;
using testing::put;
using testing::text_of;

struct Outcome {
    int code = -1;
    std::string out;
    std::string err;
    bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
    return stream << outcome.code << " [" << outcome.out << "] [" << outcome.err << "]";
}

Outcome refused(int code, const std::string& text) {
    return {.code = code, .out = "", .err = "pagealloc: " + text + "\n"};
}

class CliTest : public testing::InDirectory {
protected:
    // Runs the command with standard input holding `input`; a file stands for each stream.
    [[nodiscard]] Outcome call(const std::vector<std::string>& arguments,
                               const std::string& input = "") const {
        put(file(".in"), input);
        const Descriptor in(file(".in"), O_RDONLY, "in");
        const Descriptor out(file(".out"), O_WRONLY | O_CREAT | O_TRUNC, "out");
        const Descriptor err(file(".err"), O_WRONLY | O_CREAT | O_TRUNC, "err");
        std::vector<const char*> words;
        words.reserve(arguments.size());
        for (const auto& argument : arguments) {
            words.push_back(argument.c_str());
        }
        const int code = run(words, {.in = in.number(), .out = out.number(), .err = err.number()});
        return {.code = code, .out = contents(file(".out")), .err = contents(file(".err"))};
    }

    [[nodiscard]] std::string name() const { return file().native(); }
};

const Outcome kDone{.code = 0, .out = "", .err = ""};

TEST_F(CliTest, HelpIsPrintedWhateverFollows) {
    const Outcome help = call({"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_TRUE(help.out.starts_with("usage: pagealloc write [--sync-dir] FILE PAGE_NO TEXT   "));
    EXPECT_TRUE(help.out.ends_with("the page may not be on the disk\n"));
    EXPECT_EQ(call({"-h", "write"}), help);
}

TEST_F(CliTest, CommandsAreKnownByName) {
    EXPECT_EQ(call({}), refused(2, "no command given (see pagealloc --help)"));
    EXPECT_EQ(call({"frob", "f"}), refused(2, "unknown command: frob (see pagealloc --help)"));
    EXPECT_EQ(call({""}), refused(2, "unknown command:  (see pagealloc --help)"));
}

TEST_F(CliTest, ArgumentsAreCounted) {
    const auto takes = [](const std::string& text) {
        return refused(2, text + " (see pagealloc --help)");
    };
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"write"},
             {"write", "f", "0"},
             {"write", "f", "0", "a", "b"},
             {"write", "--sync-dir", "f", "0"},
             {"write", "f", "0", "x", "--sync-dir"},
             {"write", "--sync-dir", "--sync-dir", "f", "0", "x"}}) {
        EXPECT_EQ(call(words), takes("write takes FILE PAGE_NO TEXT"));
    }
    EXPECT_EQ(call({"read", "f"}), takes("read takes FILE PAGE_NO"));
    EXPECT_EQ(call({"read", "f", "0", "1"}), takes("read takes FILE PAGE_NO"));
    EXPECT_EQ(call({"hexdump"}), takes("hexdump takes FILE [PAGE_NO]"));
    EXPECT_EQ(call({"hexdump", "f", "0", "1"}), takes("hexdump takes FILE [PAGE_NO]"));
    EXPECT_EQ(call({"verify"}), takes("verify takes FILE"));
}

TEST_F(CliTest, OptionsOfFillComeInAnyOrderAndOnce) {
    const auto refusal =
        refused(2, "fill takes FILE PAGES [--threads N] [--seed S] (see pagealloc --help)");
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"fill", "f"},
             {"fill", "f", "1", "--threads"},
             {"fill", "f", "1", "--frob", "1"},
             {"fill", "f", "1", "--seed", "1", "--seed", "1"},
             {"fill", "f", "1", "--seed", "1", "--threads", "1", "--seed", "1"},
             {"fill", "--seed", "1", "f", "1"}}) {
        EXPECT_EQ(call(words), refusal);
    }
    EXPECT_EQ(call({"fill", name(), "2", "--seed", "7", "--threads", "3"}), kDone);
    EXPECT_EQ(contents(file()), text_of(generated_page(7, 0)) + text_of(generated_page(7, 1)));
    EXPECT_EQ(call({"fill", name(), "1", "--threads", "3"}), kDone);
    EXPECT_EQ(contents(file()), text_of(generated_page(0, 0)) + text_of(generated_page(7, 1)));
}

TEST_F(CliTest, AValueOfFillMayLookLikeAnOption) {
    EXPECT_EQ(call({"fill", name(), "1", "--seed", "--threads", "--threads", "4"}),
              refused(2, "seed is not an unsigned 64-bit number: --threads"));
    EXPECT_EQ(call({"fill", name(), "1", "--threads", "--seed", "--seed", "4"}),
              refused(2, "threads must be 1 to 64: --seed"));
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(CliTest, TextOrStandardInputIsThePayload) {
    EXPECT_EQ(call({"write", name(), "0", "--help"}, "unused"), kDone);
    EXPECT_EQ(contents(file()), page_text("--help"));
    EXPECT_EQ(call({"write", "--sync-dir", name(), "0", "-"}, std::string("a\0b", 3)), kDone);
    EXPECT_EQ(contents(file()), page_text(std::string("a\0b", 3)));
    EXPECT_EQ(call({"write", name(), "0", "-"}, std::string(4080, 'x')), kDone);
    EXPECT_EQ(contents(file()), page_text(std::string(4080, 'x')));
}

TEST_F(CliTest, APayloadThatIsTooLongTouchesNothing) {
    const auto refusal = refused(2, "payload is over 4080 bytes");
    EXPECT_EQ(call({"write", name(), "0", "-"}, std::string(100'000, 'x')), refusal);
    EXPECT_EQ(call({"write", name(), "0", std::string(4081, 'x')}), refusal);
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(CliTest, StandardInputIsReadInPieces) {
    std::array<int, 2> ends{};
    // A read of this kind of socket never gets more than one message.
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()), 0);
    ASSERT_EQ(::write(ends[1], "one ", 4), 4);
    ASSERT_EQ(::write(ends[1], "two", 3), 3);
    ::close(ends[1]);
    const std::string path = name();
    const std::array words{"write", path.c_str(), "0", "-"};
    EXPECT_EQ(run(words, {.in = ends[0], .out = 1, .err = 2}), 0);
    ::close(ends[0]);
    EXPECT_EQ(contents(file()), page_text("one two"));
}

TEST_F(CliTest, ReadPrintsThePayloadWithoutPadding) {
    put(file(), page_text(std::string("a\0b\0", 4)) + page_text(""));
    EXPECT_EQ(call({"read", name(), "0"}), (Outcome{0, std::string("a\0b", 3), ""}));
    EXPECT_EQ(call({"read", name(), "1"}), kDone);
    EXPECT_EQ(call({"read", name(), "2"}),
              refused(1, name() + ": page 2 at offset 8192: beyond the end of the file"));
}

TEST_F(CliTest, HexdumpPrintsTheFileOrAPage) {
    put(file(), page_text("a") + "tail");
    const std::string tail = "00001000: 7461 696c" + std::string(32, ' ') + "tail\n";
    const Outcome all = call({"hexdump", name()});
    EXPECT_TRUE(all.out.starts_with("00000000: 4547 4150 3145 5344 "));
    EXPECT_TRUE(all.out.ends_with("\n" + tail));
    EXPECT_EQ(call({"hexdump", name(), "1"}), (Outcome{0, tail, ""}));
}

TEST_F(CliTest, VerifyNamesEachBadPage) {
    put(file(), std::string(4096, '\0') + page_text("a") + "tail");
    const std::string lines =
        "pagealloc: " + name() + ": page 0 at offset 0: all zero: never written, or lost\n" +
        "pagealloc: " + name() + ": page 2 at offset 8192: short page: 4 of 4096 bytes\n" +
        "pagealloc: " + name() + ": bad pages: 2 of 3\n";
    EXPECT_EQ(call({"verify", name()}), (Outcome{1, "", lines}));
}

TEST_F(CliTest, VerifyCountsGoodPages) {
    put(file(), page_text("a") + page_text("b"));
    EXPECT_EQ(call({"verify", name()}), (Outcome{0, name() + ": good pages: 2\n", ""}));
    put(file(), "");
    EXPECT_EQ(call({"verify", name()}), (Outcome{0, name() + ": good pages: 0\n", ""}));
}

TEST_F(CliTest, NamesArePrintedByteForByte) {
    const std::string odd = file("b\xFF").native();
    put(odd, page_text("a"));
    EXPECT_EQ(call({"verify", odd}), (Outcome{0, odd + ": good pages: 1\n", ""}));
    EXPECT_EQ(call({"read", odd + "x", "0"}),
              refused(3, odd + "x: open: no such file or directory"));
}

TEST_F(CliTest, StreamsThatFailAreNamed) {
    put(file(), page_text("a"));
    const Descriptor err(file(".err"), O_WRONLY | O_CREAT, "err");
    const Descriptor full("/dev/full", O_WRONLY, "full");
    const std::string path = name();
    const std::array read{"read", path.c_str(), "0"};
    EXPECT_EQ(run(read, {.in = 0, .out = full.number(), .err = err.number()}), 3);
    const std::array write{"write", path.c_str(), "0", "-"};
    EXPECT_EQ(run(write, {.in = err.number(), .out = 1, .err = err.number()}), 3);
    EXPECT_EQ(contents(file(".err")),
              "pagealloc: standard output: no space left on device\n"
              "pagealloc: standard input: error " +
                  std::to_string(EBADF) + "\n");
}

}  // namespace
}  // namespace pagealloc
