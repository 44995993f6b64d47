// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Sections that are bytes in memory. */
final class TestSections implements DwarfSections {
  private final String name;
  private final ByteOrder order;
  private final Map<String, ByteSource> sections = new HashMap<>();
  private final Map<String, DwarfSections> split = new HashMap<>();
  private Optional<DwarfSections> supplementary = Optional.empty();
  private Optional<DwarfSections> splitPackage = Optional.empty();

  TestSections(String name, ByteOrder order, Map<String, byte[]> sections) {
    this(name, order, sections, "");
  }

  /** With something behind each section's name, such as {@code .dwo}. */
  TestSections(String name, ByteOrder order, Map<String, byte[]> sections, String suffix) {
    this.name = name;
    this.order = order;
    sections.forEach((section, bytes) -> with(section + suffix, bytes));
  }

  TestSections with(String section, byte[] bytes) {
    sections.put(section, ByteSource.of(name + ":" + section, bytes));
    return this;
  }

  TestSections withSupplementary(DwarfSections file) {
    supplementary = Optional.of(file);
    return this;
  }

  TestSections withSplit(String dwoName, DwarfSections file) {
    split.put(dwoName, file);
    return this;
  }

  TestSections withPackage(DwarfSections file) {
    splitPackage = Optional.of(file);
    return this;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public ByteOrder order() {
    return order;
  }

  @Override
  public Optional<ByteSource> find(String section) {
    return Optional.ofNullable(sections.get(section));
  }

  @Override
  public Optional<DwarfSections> supplementary() {
    return supplementary;
  }

  @Override
  public Optional<DwarfSections> split(String dwoName, String directory, long id) {
    return Optional.ofNullable(split.get(dwoName));
  }

  @Override
  public Optional<DwarfSections> splitPackage() {
    return splitPackage;
  }
}
