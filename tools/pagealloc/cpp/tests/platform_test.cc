// The platform branch: compiled once for each platform, with the macros that it looks at set so.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "fsync_full.h"
#include "stubs/stubs.h"

#if defined(STUB_F_FULLFSYNC)
constexpr const char* kWanted = "F_FULLFSYNC";
constexpr const char* kMade = "fcntl 51";
#elif defined(STUB_FDATASYNC)
constexpr const char* kWanted = "fdatasync";
constexpr const char* kMade = "fdatasync";
#elif defined(STUB_FSYNC)
constexpr const char* kWanted = "fsync";
constexpr const char* kMade = "fsync";
#endif

namespace pagealloc {
namespace {

using Calls = std::vector<std::string>;

class PlatformTest : public ::testing::Test {
protected:
    PlatformTest() : file_(std::tmpfile(), std::fclose) { stubs::reset(); }
    [[nodiscard]] int number() const { return ::fileno(file_.get()); }

private:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

TEST_F(PlatformTest, TheCallIsTheOneThatIsNamed) {
    EXPECT_STREQ(kSyncCall, kWanted);
    EXPECT_EQ(fsync_full(number()), 0);
    EXPECT_EQ(stubs::made, Calls{kMade});
}

TEST_F(PlatformTest, AnInterruptedCallIsMadeAgain) {
    stubs::faults[kMade] = {{.number = EINTR}, {.number = EINTR}};
    EXPECT_EQ(fsync_full(number()), 0);
    EXPECT_EQ(stubs::made, (Calls{kMade, kMade, kMade}));
}

TEST_F(PlatformTest, AFailureIsToldAndNotTriedAgain) {
    stubs::faults[kMade] = {{.number = EIO}};
    EXPECT_EQ(fsync_full(number()), EIO);
    EXPECT_EQ(stubs::made, Calls{kMade});
}

}  // namespace
}  // namespace pagealloc
