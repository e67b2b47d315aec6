// The platform branch: compiled once for each platform, with the macros that it looks at set so.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "fsync_full.h"
#include "stubs/stubs.h"
#include "support.h"

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

class PlatformTest : public testing::InDirectory {
protected:
    PlatformTest() : number_(::mkstemp(std::string(file("XXXXXX").native()).data())) {
        stubs::reset();
    }
    ~PlatformTest() override { ::close(number_); }
    PlatformTest(const PlatformTest&) = delete;
    PlatformTest& operator=(const PlatformTest&) = delete;
    PlatformTest(PlatformTest&&) = delete;
    PlatformTest& operator=(PlatformTest&&) = delete;

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
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
