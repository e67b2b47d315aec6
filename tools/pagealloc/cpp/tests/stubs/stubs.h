// What a test says about the calls that stubs.cc stands in for, and hears of them.
//
// A call that is not told to fail is made. Not for two threads at once: the library makes these
// calls one after the other, and ThreadSanitizer tells if it does not.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stubs {

struct Fault {
    int number = 0;                          // the errno value to fail with, 0 not to
    std::optional<std::size_t> length = {};  // how much to write instead of all
    std::function<void()> afterwards = {};   // what somebody else does next
};

// The calls made, by name, in their order.
extern std::vector<std::string> made;

// What is to happen to the next calls of a name, one after the other.
extern std::map<std::string, std::deque<Fault>> faults;

// Nothing made, nothing to fail.
void reset();

}  // namespace stubs
