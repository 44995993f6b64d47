// A program of C++ whose values CxxTest looks at, beside gdb. It runs to stop() and no further.
#include <array>
#include <atomic>
#include <bitset>
#include <cstring>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace geo {
enum class Colour { red, green = 5, blue };
enum Plain { alpha, beta };
struct Point {
  int x, y;
  static int made;
  Colour colour;
};
int Point::made = 7;
struct Shape {
  virtual ~Shape() {}
  virtual int area() const { return 0; }
  int id = 3;
};
struct Named {
  const char *name = "named";
};
class Circle : public Shape, protected Named {
 public:
  int r = 9;
  static constexpr int limit = 12;
  int area() const override;

 private:
  int hidden = 4;
};
struct VBase {
  int v = 77;
};
struct L : virtual VBase {
  int l = 1;
};
struct R : virtual VBase {
  int rr = 2;
};
struct Root {
  virtual ~Root() {}
  int root = 1;
};
struct Left : virtual Root {
  int left = 2;
};
struct Right : virtual Root {
  int right = 3;
};
struct Whole : Left, Right {
  int whole = 4;
};
struct Odd {
  static constexpr double ratio = 2.5;
  static constexpr float half = 0.5f;
  static constexpr bool yes = true;
  Point at;
  char first;
  union {
    int number;
    struct {
      char letter;
      double fraction;
    } in;
  } inner;
  union {
    int one;
    char two;
  };
  Point *to;
  unsigned bits : 3;
  operator int() const { return at.x; }
  operator Point *() { return to; }
  int add(int n) const { return at.x + n; }
};
struct D : L, R {
  int d = 3;
};
struct Holder {
  int &one;
  Point &two;
};
namespace {
int anon = 99;
}
int inner = 17;
}  // namespace geo

template <class T, int N>
struct Buf {
  T data[N];
  Buf<T, N> *next;
  static int count;
};
template <class T, int N>
int Buf<T, N>::count = 21;

std::vector<int> v{1, 2, 3};
std::vector<int> spare;
std::vector<int> none;
std::vector<std::string> vs{"a", "bc"};
std::vector<bool> vb{true, false, true};
std::vector<std::vector<int>> vv{{1}, {2, 3}};
std::vector<geo::Point> vp{{1, 2, geo::Colour::red}, {3, 4, geo::Colour::blue}};
std::string str = "hello";
std::string nothing;
std::string lines = "a\nb";
std::string longer = "abcdefghijklmnopqrstuvwxyz0123456789";
std::wstring ws = L"wide";
std::u16string u16 = u"abc";
std::u32string u32 = U"xyz";
std::string_view view = "view";
std::list<int> li{4, 5, 6};
std::list<int> no_list;
std::forward_list<int> fl{7, 8};
std::deque<int> dq;
std::deque<int> no_deque;
std::array<int, 3> ar{1, 2, 3};
std::map<int, std::string> m{{1, "one"}, {2, "two"}};
std::map<std::string, std::vector<int>> mv{{"even", {2, 4}}, {"odd", {1, 3}}};
std::map<int, int> no_map;
std::map<unsigned, int> mu{{4294967295u, 9}};
std::map<signed char, int> mc{{-1, 8}};
std::map<bool, int> mbo{{true, 7}};
template <class T> struct Alias { typedef int number; };
Alias<int geo::Point::*>::number aliased = 3;
std::multimap<int, int> mm{{1, 2}, {1, 3}};
std::set<int> se{3, 1, 2};
std::multiset<char> ms{'b', 'a', 'b'};
std::unordered_map<std::string, int> um{{"k", 1}};
std::unordered_multimap<int, int> umm{{4, 5}};
std::unordered_set<int> us{5};
std::unordered_multiset<int> ums{6, 6};
std::pair<int, double> pr{1, 2.5};
std::tuple<int, char, std::string> tu{1, 'c', "t"};
std::tuple<> no_tuple;
std::optional<int> op{5};
std::optional<int> no_op;
std::optional<std::string> ops{"in it"};
std::unique_ptr<int> up(new int(8));
std::unique_ptr<int> no_up;
std::unique_ptr<int[]> ua(new int[3]{1, 2, 3});
std::shared_ptr<geo::Point> sp = std::make_shared<geo::Point>();
std::shared_ptr<int> no_sp;
std::weak_ptr<geo::Point> wp = sp;
std::weak_ptr<int> expired;
std::atomic<int> at{42};
std::atomic<bool> ab{true};
std::atomic<int *> ap;
std::atomic<geo::Point> atp{};
std::variant<int, std::string> va{"var"};
std::variant<int, double> vd{2.5};
std::stack<int> st;
std::queue<int> qu;
std::priority_queue<int> pq;
std::bitset<10> bs{0x155};
std::bitset<100> bl;
std::vector<int>::iterator vit = v.begin();
std::list<int>::iterator lit = li.begin();
std::map<int, std::string>::iterator mit = m.begin();

geo::Point pt{1, 2, geo::Colour::green};
geo::Circle circle;
geo::Shape *shape = &circle;
geo::Shape &rshape = circle;
geo::D dd;
geo::L *lp = &dd;
geo::R *rp = &dd;
geo::Whole whole;
geo::Odd odd{};
int geo::Point::*member = &geo::Point::y;
int (geo::Odd::*method)(int) const = &geo::Odd::add;
decltype(nullptr) nothing_at_all = nullptr;
geo::Root *root = &whole;
geo::Root &rroot = whole;
geo::Left *left = &whole;
geo::Root only_root;
geo::Shape *wild_shape = reinterpret_cast<geo::Shape *>(8);
int target = 5;
int &ref = target;
int &&rref = 6;
const int &cref = target;
const std::vector<int> &vref = v;
geo::Holder holder{target, pt};
geo::Plain plain = geo::beta;
Buf<char, 8> buf{"abc", nullptr};
struct Empty {
} nil;

// Damaged ones.
std::vector<int> bad_vector{1, 2, 3};
std::vector<int> wild_vector{1, 2, 3};
std::list<int> bad_list{1, 2, 3};
std::list<int> wild_list{1, 2, 3};
std::map<int, int> bad_map{{1, 1}, {2, 2}, {3, 3}};
std::map<int, int> short_map{{1, 1}, {2, 2}, {3, 3}};
std::unordered_map<int, int> bad_hash{{1, 1}, {2, 2}};
std::string bad_string = "abc";
std::deque<int> bad_deque{1, 2, 3};
std::variant<int, double> bad_variant{1};
std::shared_ptr<int> bad_shared(new int(1));

static long *words(void *object) { return static_cast<long *>(object); }

static void damage() {
  words(&bad_vector)[1] = words(&bad_vector)[0] - 4;
  words(&wild_vector)[0] = 0x1000;
  words(&wild_vector)[1] = words(&wild_vector)[2] = 0x40001000;
  auto second = std::next(bad_list.begin());
  long node = reinterpret_cast<long>(&*second) - 16;
  *words(reinterpret_cast<void *>(node)) = node;
  *words(&wild_list) = 0x1230;
  auto in_map = std::next(bad_map.begin());
  long tree = reinterpret_cast<long>(&*in_map) - 32;
  words(reinterpret_cast<void *>(tree))[2] = tree;
  words(&short_map)[5] = 1000;
  long hash = reinterpret_cast<long>(&*bad_hash.begin()) - 8;
  *words(reinterpret_cast<void *>(hash)) = hash;
  words(&bad_hash)[3] = 0x7fffffffffffffff;
  words(&bad_string)[1] = -1;
  words(&bad_deque)[5] = 8;
  words(&bad_variant)[1] = 3;
  words(&bad_shared)[1] = 0x20;
}

extern "C" __attribute__((noinline)) void stop() { asm volatile(""); }

int geo::Circle::area() const {
  static int calls = 41;
  calls++;
  int local = r * 3;
  stop();
  return local + calls;
}

int work(std::vector<int> &arg, const std::string &name, std::map<int, std::string> copy, int &number) {
  static int calls = 3;
  calls++;
  std::unique_ptr<int> own(new int(4));
  int total = calls + number;
  for (auto x : arg) total += x;
  total += circle.area();
  return total + static_cast<int>(name.size() + copy.size()) + *own;
}

int main() {
  for (int i = 0; i < 300; i++) dq.push_back(i);
  for (int i = 0; i < 10; i++) dq.pop_front();
  spare.reserve(4);
  spare.push_back(1);
  st.push(1);
  qu.push(2);
  pq.push(3);
  bl.set(70);
  expired = std::make_shared<int>(1);
#ifndef WHOLE
  damage();
#endif
  int result = work(v, str, m, target);
  return result + geo::anon + geo::inner + lp->v + plain + Buf<char, 8>::count;
}
