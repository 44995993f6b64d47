// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.command.CommandService;
import dev.fathom.command.Grammar;
import dev.fathom.kernel.Walker;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.session.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/** Completes commands, walkers, types, members and symbols, by what stands in front of the word. */
final class SessionCompleter implements Completer {
  private static final int LIMIT = 200;

  /** A type with its keyword at the end of the text, a member's word to follow. */
  private static final Pattern TYPE_BEFORE =
      Pattern.compile("\\b(struct|union|enum)\\s+(\\w+)\\s+$");

  private static final Pattern KEYWORD_BEFORE = Pattern.compile("\\b(struct|union|enum)\\s+$");
  private static final Pattern WALK_BEFORE = Pattern.compile("::walk\\s+$");
  private static final Pattern DOTTED =
      Pattern.compile("(\\w+)((?:(?:\\.|->)\\w+)*)(\\.|->)(\\w*)");

  private final Session session;
  private final CommandService service;

  SessionCompleter(Session session, CommandService service) {
    this.session = session;
    this.service = service;
  }

  @Override
  public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
    var word = line.word();
    var before = line.line().substring(0, line.cursor() - line.wordCursor());
    for (var text : looked(before, word)) {
      boolean open = text.endsWith(".") || text.endsWith("->");
      candidates.add(new Candidate(text, text, null, null, null, null, !open));
    }
  }

  /** As {@link #words}, from a live target too; nothing when it cannot be read now. */
  private List<String> looked(String before, String word) {
    try {
      session.begin();
    } catch (FathomException e) {
      return List.of(); // The next command line tells why.
    }
    try {
      return words(before, word);
    } catch (FathomException e) {
      return List.of();
    } finally {
      session.end();
    }
  }

  /** What {@code word} may become, behind the text {@code before}. */
  List<String> words(String before, String word) {
    int colons = word.lastIndexOf("::");
    if (colons >= 0) {
      return dcmds(word.substring(0, colons + 2), word.substring(colons + 2));
    }
    if (WALK_BEFORE.matcher(before).find()) {
      return session.kernel().walkers().stream()
          .map(Walker::name)
          .filter(name -> name.startsWith(word))
          .sorted()
          .toList();
    }
    var keyword = KEYWORD_BEFORE.matcher(before);
    if (keyword.find()) {
      return types(keyword.group(1), word);
    }
    var typed = TYPE_BEFORE.matcher(before);
    if (typed.find()) {
      return members(type(typed.group(1), typed.group(2)), "", word);
    }
    var dotted = DOTTED.matcher(word);
    if (dotted.matches()) {
      return dotted(dotted.group(1), dotted.group(2), dotted.group(3), dotted.group(4));
    }
    var found = new ArrayList<String>();
    if (before.isBlank()) {
      for (var group : service.environment().groups()) {
        group.names(Grammar.CRASH).stream().filter(n -> n.startsWith(word)).forEach(found::add);
      }
    }
    if (!word.isEmpty()) {
      found.addAll(session.kernel().program().symbols().completions(word, LIMIT));
    }
    return found;
  }

  private List<String> dcmds(String before, String prefix) {
    var names = new TreeSet<String>();
    for (var group : service.environment().groups()) {
      for (var name : group.names(Grammar.MDB)) {
        if (name.startsWith(prefix) && !name.startsWith("$") && !name.startsWith(":")) {
          names.add(before + name);
        }
      }
    }
    return List.copyOf(names);
  }

  private List<String> types(String keyword, String prefix) {
    var kind = TypeName.Kind.valueOf(keyword.toUpperCase(Locale.ROOT));
    var names = new TreeSet<String>();
    for (var source : session.kernel().program().types().sources()) {
      try (var all = source.typeNames()) {
        for (var i = all.iterator(); i.hasNext() && names.size() < LIMIT; ) {
          var name = i.next().name();
          if (name.kind() == kind && name.name().startsWith(prefix)) {
            names.add(name.name());
          }
        }
      }
    }
    return List.copyOf(names);
  }

  private Optional<CType> type(String keyword, String tag) {
    return TypeName.parse(keyword + " " + tag).flatMap(session.kernel().program().types()::find);
  }

  /** Members of what {@code variable.path} is, the last piece still being typed. */
  private List<String> dotted(String variable, String path, String operator, String prefix) {
    var types = session.kernel().program().types();
    var type = variable(variable).or(() -> types.findStruct(variable));
    for (var step : path.split("\\.|->")) {
      if (!step.isEmpty()) {
        type =
            type.map(SessionCompleter::pointed)
                .flatMap(t -> types.member(t, step))
                .map(f -> f.member().type());
      }
    }
    return members(type, variable + path + operator, prefix);
  }

  private Optional<CType> variable(String name) {
    var program = session.kernel().program();
    try {
      return program.symbols().first(name).map(s -> program.global(s.name()).type());
    } catch (LookupException _) {
      return Optional.empty(); // Its type is not known: there is nothing to complete.
    }
  }

  private static CType pointed(CType type) {
    return type.resolved() instanceof PointerType p ? p.target() : type;
  }

  private static List<String> members(Optional<CType> type, String before, String prefix) {
    if (type.map(SessionCompleter::pointed).map(CType::resolved).orElse(null)
        instanceof CompositeType c) {
      var names = new ArrayList<String>();
      collect(c, before, prefix, names, 0);
      return names;
    }
    return List.of();
  }

  private static void collect(
      CompositeType type, String before, String prefix, List<String> names, int depth) {
    for (var member : type.members()) {
      if (member.name().isEmpty()) {
        if (member.type().resolved() instanceof CompositeType inner && depth < 16) {
          collect(inner, before, prefix, names, depth + 1);
        }
      } else if (member.name().startsWith(prefix)) {
        names.add(before + member.name());
      }
    }
  }
}
