// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FathomException;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.Value;
import java.util.HashMap;
import java.util.Map;

/**
 * Where a module's sections are, from what the kernel keeps for /sys/module/NAME/sections: {@code
 * module.sect_attrs} (kernel/module/sysfs.c; with CONFIG_KALLSYMS). Each attribute has its
 * section's name in {@code battr.attr.name} since 5.8, in {@code name} before, in {@code
 * attrs[].attr.name} with the address in {@code private} since 6.14.
 */
final class ModuleSections {
  /** More than any module has. */
  private static final int LIMIT = 1024;

  private static final int NAME_LIMIT = 256;

  private ModuleSections() {}

  static Map<String, Long> of(LinuxProgram program, Layouts layouts, long module) {
    var found = new HashMap<String, Long>();
    var type = layouts.types().findStruct("module");
    if (type.isEmpty()) {
      return found;
    }
    try {
      var attributes = new Value.Ref(program, type.get(), module).member("sect_attrs");
      if (attributes.asLong() == 0) {
        return found;
      }
      long count =
          attributes.has("nsections")
              ? Math.min(attributes.member("nsections").asLong(), LIMIT)
              : 0;
      var all = attributes.member("attrs");
      for (long i = 0; i < count; i++) {
        var one = all.index(i);
        var name = one.has("battr.attr.name") ? one.member("battr.attr.name") : one.member("name");
        found.put(name.string(NAME_LIMIT), one.member("address").asLong());
      }
    } catch (FathomException e) {
      found.clear(); // Missing pages: better no section than some.
    }
    return found;
  }
}
