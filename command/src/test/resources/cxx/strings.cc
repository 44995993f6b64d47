// Strings whose length stands in front of their characters: made with _GLIBCXX_USE_CXX11_ABI=0.
#include <list>
#include <map>
#include <string>

std::string str = "older";
std::string nothing;
std::list<std::string> li{"x", "yz"};
std::map<std::string, int> m{{"k", 2}};

extern "C" __attribute__((noinline)) void stop() { asm volatile(""); }

__attribute__((noinline)) int work(const std::string &name) {
  static int calls = 3;
  calls++;
  stop();
  return calls + static_cast<int>(name.size());
}

int main() { return work(str); }
