// Containers of Boost.Intrusive that IntrusiveTest looks at. It runs to stop() and no further.
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <boost/intrusive/slist.hpp>

namespace bi = boost::intrusive;

struct Item {
  int n;
  bi::list_member_hook<> hook;
  explicit Item(int i) : n(i) {}
};
struct other_tag;
struct Base : bi::list_base_hook<bi::tag<other_tag>>, bi::list_base_hook<> {
  int n;
  explicit Base(int i) : n(i) {}
};
struct Single : bi::slist_base_hook<> {
  int n;
  explicit Single(int i) : n(i) {}
};
struct Node : bi::set_base_hook<> {
  int n;
  explicit Node(int i) : n(i) {}
  bool operator<(const Node &other) const { return n < other.n; }
};
struct Small {
  int n;
  bi::set_member_hook<bi::optimize_size<true>> hook;
  explicit Small(int i) : n(i) {}
  bool operator<(const Small &other) const { return n < other.n; }
};

typedef bi::list<Item, bi::member_hook<Item, bi::list_member_hook<>, &Item::hook>> Items;
typedef bi::set<Small, bi::member_hook<Small, bi::set_member_hook<bi::optimize_size<true>>, &Small::hook>,
                bi::constant_time_size<false>>
    Smalls;

Items items, no_items, bad_items;
bi::list<Base, bi::constant_time_size<false>> bases;
bi::list<Base, bi::base_hook<bi::list_base_hook<bi::tag<other_tag>>>> tagged;
bi::slist<Single> singles;
bi::slist<Single, bi::linear<true>, bi::constant_time_size<false>> linear;
bi::set<Node> nodes;
Smalls smalls;
bi::multiset<Node> bad_nodes;

extern "C" __attribute__((noinline)) void stop() { asm volatile(""); }

int main() {
  static Item i1(1), i2(2), i3(3), i4(4);
  static Base b1(10), b2(20);
  static Single s1(11), s2(12), s3(13);
  static Node n1(3), n2(1), n3(2), n4(7), n5(8);
  static Small m1(6), m2(5), m3(4);
  items.push_back(i1);
  items.push_back(i2);
  bases.push_back(b1);
  bases.push_back(b2);
  tagged.push_back(b2);
  singles.push_front(s1);
  singles.push_front(s2);
  linear.push_front(s3);
  nodes.insert(n1);
  nodes.insert(n2);
  nodes.insert(n3);
  smalls.insert(m1);
  smalls.insert(m2);
  smalls.insert(m3);
  bad_items.push_back(i3);
  bad_items.push_back(i4);
  bad_nodes.insert(n4);
  bad_nodes.insert(n5);
  // A list and a tree that lead back into themselves.
  *reinterpret_cast<void **>(&i4.hook) = &i4.hook;
  reinterpret_cast<void **>(&n5)[2] = &n5;
  stop();
  return items.size() + nodes.size() + smalls.size() + (linear.empty() ? 0 : 1);
}
