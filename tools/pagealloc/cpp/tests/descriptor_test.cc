#include "descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "error.h"
#include "support.h"

namespace pagealloc {
namespace {

using testing::contents;
using testing::message;
using testing::put;

class DescriptorTest : public testing::InDirectory {};

bool is_open(int number) { return ::fcntl(number, F_GETFD) != -1; }

TEST_F(DescriptorTest, ClosesBehindItself) {
    int number = -1;
    {
        const Descriptor descriptor(file(), O_RDWR | O_CREAT, "name");
        number = descriptor.number();
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST_F(DescriptorTest, ClosesOnce) {
    Descriptor descriptor(file(), O_RDWR | O_CREAT, "name");
    const int number = descriptor.number();
    descriptor.close();
    EXPECT_FALSE(is_open(number));
    EXPECT_EQ(descriptor.number(), -1);
}

TEST_F(DescriptorTest, IsNotHandedOnToAnotherProgram) {
    const Descriptor descriptor(file(), O_RDWR | O_CREAT, "name");
    EXPECT_EQ(::fcntl(descriptor.number(), F_GETFD), FD_CLOEXEC);
}

TEST_F(DescriptorTest, TellsOfAnErrorOfTheClose) {
    Descriptor descriptor(file(), O_RDWR | O_CREAT, "name");
    ASSERT_EQ(::close(descriptor.number()), 0);
    EXPECT_EQ(message<SystemCallError>([&] { descriptor.close(); }),
              "name: close: error " + std::to_string(EBADF));
}

TEST_F(DescriptorTest, TellsWhyItCanNotBeOpened) {
    const auto open = [&] { const Descriptor descriptor(file(), O_RDWR, "name"); };
    EXPECT_EQ(message<SystemCallError>(open), "name: open: no such file or directory");
    EXPECT_EQ(testing::thrown<SystemCallError>(open).code(), std::errc::no_such_file_or_directory);
}

TEST_F(DescriptorTest, OpensNoOtherFileForANameWithANulByte) {
    put(file(), "old");
    const auto open = [&] {
        const Descriptor descriptor(file(std::string("f\0g", 3)), O_RDWR | O_TRUNC, "name");
    };
    EXPECT_EQ(testing::thrown<SystemCallError>(open).code(), std::errc::invalid_argument);
    EXPECT_EQ(contents(file()), "old");
}

}  // namespace
}  // namespace pagealloc
