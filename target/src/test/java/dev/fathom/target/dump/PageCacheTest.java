// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PageCacheTest {
  @Test
  void keepsTheFourUsedLast() {
    var cache = new PageCache(4 * 16, 16);
    for (long pfn = 0; pfn < 4; pfn++) {
      put(cache, pfn);
    }
    assertThat(cache.get(0)).isNotNull();
    put(cache, 9);
    assertThat(cache.get(1)).isNull();
    for (long pfn : new long[] {0, 2, 3, 9}) {
      assertThat(cache.get(pfn)).isNotNull();
      assertThat(cache.get(pfn)[0]).isEqualTo((byte) pfn);
    }
  }

  @Test
  void staysWithinItsBound() {
    var cache = new PageCache(64 * 1024, 1024);
    for (long pfn = 0; pfn < 10_000; pfn++) {
      put(cache, pfn * 512);
    }
    int held = 0;
    for (long pfn = 0; pfn < 10_000; pfn++) {
      byte[] page = cache.get(pfn * 512);
      if (page != null) {
        held++;
        assertThat(page[0]).isEqualTo((byte) (pfn * 512));
      }
    }
    assertThat(held).isBetween(32, 64);
  }

  private static void put(PageCache cache, long pfn) {
    byte[] page = cache.room(pfn);
    page[0] = (byte) pfn;
    cache.put(pfn, page);
  }
}
