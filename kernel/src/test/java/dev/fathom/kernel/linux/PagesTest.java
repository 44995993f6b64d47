// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PagesTest {
  private static final long VMEMMAP = 0xffff_ea00_0000_0000L;
  private static final long PAGE = VMEMMAP + 0x4_5000;

  @Test
  void aPageThatIsNoTailIsItsOwnHead() {
    assertThat(Pages.head(PAGE, 0)).isEqualTo(PAGE);
    assertThat(Pages.head(PAGE, 0xffff_8880_0000_1000L)).isEqualTo(PAGE);
  }

  @Test
  void aTailLeadsToItsHead() {
    assertThat(Pages.head(PAGE + 0x40, PAGE + 1)).isEqualTo(PAGE);
    assertThat(Pages.head(VMEMMAP + 0x40, VMEMMAP + 1)).isEqualTo(VMEMMAP);
  }

  /** Since 7.1: 512 pages of 64 bytes of struct page begin at a multiple of 0x8000. */
  @Test
  void aTailMasksItsAddress() {
    assertThat(Pages.head(PAGE + 0x40, -0x8000L | 1)).isEqualTo(VMEMMAP + 0x4_0000);
    assertThat(Pages.head(VMEMMAP + 0x7fc0, -0x8000L | 1)).isEqualTo(VMEMMAP);
  }
}
