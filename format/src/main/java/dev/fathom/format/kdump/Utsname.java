// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

/**
 * {@code struct new_utsname}: what {@code uname -a} said; empty strings where the writer knew
 * nothing (QEMU).
 */
public record Utsname(
    String sysname,
    String nodename,
    String release,
    String version,
    String machine,
    String domainname) {}
