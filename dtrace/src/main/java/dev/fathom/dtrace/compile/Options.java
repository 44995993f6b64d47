// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.EvalException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The names of D's options ({@code -x}, {@code #pragma D option}) and what values they take. Those
 * that only a compiler or a buffer in a kernel heeds are known and do nothing here.
 */
final class Options {
  private static final Set<String> FLAGS =
      words(
          "agghist aggpack aggpercpu aggsortkey aggsortrev aggzoom argref defaultargs destructive"
              + " empty errtags flowindent knodefs noresolve pspec quiet quietresize rawbytes"
              + " stacksymbols temporal unodefs verbose zdefs");

  private static final Set<String> SIZES =
      words(
          "aggsize bpflogsize bufsize dynvarsize jstackstrsize nspec pcapsize printsize scratchsize"
              + " specsize strsize");

  private static final Set<String> OTHERS =
      words(
          "aggrate aggsortkeypos aggsortpos amin bpflog bufpolicy bufresize cleanrate core cpp"
              + " cppargs cpphdrs cpppath ctfpath ctypes debug debugassert define disasm"
              + " dofstashpath droptags dtypes encoding evaltime grabanon incdir iregs jstackframes"
              + " kdefs late lazyload ldpath libdir linkmode linknommap linktype lockmem maxframes"
              + " modpath nolibs pgmax preallocate procfspath stackframes stackindent statusrate stdc"
              + " stopbudget strip switchrate syslibdir sysslice tree tregs udefs undef ustackframes"
              + " useruid version");

  /** What only a command line may say. */
  private static final Set<String> NOT_IN_PROGRAMS = words("ldpath modpath");

  private static final Set<String> YES_AND_NO =
      words("0 1 disable disabled enable enabled false true no yes off on unset set");

  private Options() {}

  private static Set<String> words(String text) {
    return new TreeSet<>(Arrays.asList(text.split(" ")));
  }

  /**
   * What is wrong with an option.
   *
   * @param value empty for one that was given without
   * @param inProgram whether a program says it
   * @return empty if nothing is
   */
  static Optional<String> problem(String name, String value, boolean inProgram) {
    if (FLAGS.contains(name)) {
      return value.isEmpty() || YES_AND_NO.contains(value.toLowerCase(Locale.ROOT))
          ? Optional.empty()
          : Optional.of("'" + value + "' is neither yes nor no");
    }
    if (SIZES.contains(name)) {
      try {
        if (!value.isEmpty()) {
          Sizes.parse(value);
        }
        return Optional.empty();
      } catch (EvalException e) {
        return Optional.of("'" + value + "': " + e.getMessage());
      }
    }
    if (!OTHERS.contains(name)) {
      var all = new TreeSet<>(OTHERS);
      all.addAll(FLAGS);
      all.addAll(SIZES);
      return Optional.of("there is no such option" + Near.text(name, all));
    }
    return inProgram && NOT_IN_PROGRAMS.contains(name)
        ? Optional.of("only the command line may set it")
        : Optional.empty();
  }
}
