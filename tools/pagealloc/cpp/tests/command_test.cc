// The command as a process: what becomes of it by signals, limits and closed streams.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "support.h"

namespace pagealloc {
namespace {

using testing::contents;
using testing::page_text;
using testing::put;

class CommandTest : public testing::InDirectory {
protected:
    // Returns the wait status of the command; `before` is done in its process, first.
    static int status_of(std::vector<std::string> arguments, const std::function<void()>& before) {
        arguments.insert(arguments.begin(), PAGEALLOC_COMMAND);
        std::vector<char*> words;
        words.reserve(arguments.size() + 1);
        for (auto& argument : arguments) {
            words.push_back(argument.data());
        }
        words.push_back(nullptr);
        const pid_t child = ::fork();
        if (child == 0) {
            before();
            ::execv(words.front(), words.data());
            ::_exit(127);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        return status;
    }
};

TEST_F(CommandTest, WritesAndReads) {
    const int written = status_of({"write", file().native(), "0", "text"}, [] {});
    ASSERT_TRUE(WIFEXITED(written));
    EXPECT_EQ(WEXITSTATUS(written), 0);
    EXPECT_EQ(contents(file()), page_text("text"));
}

TEST_F(CommandTest, IsNotEndedByALimitOnFileSizes) {
    put(file(), page_text("old"));
    const int status = status_of({"write", file().native(), "1", "x"}, [] {
        const rlimit limit{5000, 5000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        ::close(STDERR_FILENO);
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 3);
    EXPECT_EQ(contents(file()), page_text("old"));
}

TEST_F(CommandTest, EndsSilentlyWithAClosedPipe) {
    put(file(), page_text("text"));
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ::close(ends[0]);
    const std::string errors = file("errors").native();
    const int status = status_of({"hexdump", file().native()}, [&] {
        static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // as some parents leave it
        ::dup2(ends[1], STDOUT_FILENO);
        ::dup2(::open(errors.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    });
    ::close(ends[1]);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGPIPE);
    EXPECT_EQ(contents(errors), "");
}

}  // namespace
}  // namespace pagealloc
