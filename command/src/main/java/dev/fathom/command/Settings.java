// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** What the user can set; the defaults are mdb's. */
public final class Settings {
  private int radix = 16;
  private OptionalInt arrayMembers = OptionalInt.of(32);
  private OptionalInt arrayString = OptionalInt.of(1024);
  private int width = 80;
  private boolean shellAllowed = true;
  private boolean writable;
  private Optional<Screen> screen = Optional.empty();
  private final List<Path> sourceFolders = new ArrayList<>();
  private final Map<String, String> substitutions = new LinkedHashMap<>();

  /** The base of numbers without prefix, 2 to 16. */
  public int radix() {
    return radix;
  }

  public void radix(int base) {
    if (base < 2 || base > 16) {
      throw new dev.fathom.base.UsageException("radix must be between 2 and 16");
    }
    radix = base;
  }

  /** How many elements of an array are printed; empty for all. */
  public OptionalInt arrayMembers() {
    return arrayMembers;
  }

  public void arrayMembers(OptionalInt limit) {
    arrayMembers = limit;
  }

  /** How many characters of a string are printed; empty for all. */
  public OptionalInt arrayString() {
    return arrayString;
  }

  public void arrayString(OptionalInt limit) {
    arrayString = limit;
  }

  /** Folders in which source files are looked for, first to last. */
  public List<Path> sourceFolders() {
    return List.copyOf(sourceFolders);
  }

  /** Looks for source files in {@code folder} before others. */
  public void addSourceFolder(Path folder) {
    sourceFolders.remove(folder);
    sourceFolders.addFirst(folder);
  }

  public void forgetSourceFolders() {
    sourceFolders.clear();
  }

  /** What paths of sources begin with, and what that is replaced by; the first that fits counts. */
  public Map<String, String> substitutions() {
    return Collections.unmodifiableMap(substitutions);
  }

  /** Looks for sources whose path begins with the folder {@code from} in {@code to} instead. */
  public void substitute(String from, String to) {
    substitutions.remove(from);
    substitutions.put(from, to);
  }

  /** Forgets one substitution; whether there was one. */
  public boolean forgetSubstitution(String from) {
    return substitutions.remove(from) != null;
  }

  public void forgetSubstitutions() {
    substitutions.clear();
  }

  /** Columns of the page. */
  public int width() {
    return width;
  }

  public void width(int columns) {
    width = Math.clamp(columns, 40, 10_000);
  }

  /**
   * Where shell commands print by themselves, as a pager or an editor needs; without one what they
   * print goes to the sink.
   */
  public Optional<Screen> screen() {
    return screen;
  }

  public void screen(Screen own) {
    screen = Optional.of(own);
  }

  /** Whether commands may write the target's memory and registers. */
  public boolean writable() {
    return writable;
  }

  public void writable(boolean allowed) {
    writable = allowed;
  }

  /** Whether commands may start a shell and write files. */
  public boolean shellAllowed() {
    return shellAllowed;
  }

  public void shellAllowed(boolean allowed) {
    shellAllowed = allowed;
  }
}
