// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Adds up the test reports of all modules.
 *
 * <p>Arguments: the repository, and a file that lists the tests that may be skipped ({@code
 * class#method}, then the reason). Prints failures and skips with their reasons and ends with one
 * line of counts. The status is 1 when a test failed, when one was skipped that is not in the list,
 * or when none ran; with a third argument {@code lab} also when none with a real guest ran.
 */
final class TestReport {
  private TestReport() {}

  private static final String LAB_REPORTS = "surefire-reports-lab";

  private record Test(String name, String time, String state, String reason) {}

  public static void main(String[] args) throws Exception {
    Set<String> expected =
        Files.readAllLines(Path.of(args[1])).stream()
            .filter(line -> !line.isBlank() && !line.startsWith("#"))
            .map(line -> line.split("\\s", 2)[0])
            .collect(Collectors.toSet());
    List<Test> tests = new ArrayList<>();
    DocumentBuilder xml = DocumentBuilderFactory.newDefaultNSInstance().newDocumentBuilder();
    boolean guestsRan = false;
    for (Path report : reports(Path.of(args[0]))) {
      guestsRan |= report.getParent().endsWith(LAB_REPORTS);
      NodeList cases = xml.parse(report.toFile()).getElementsByTagName("testcase");
      for (int i = 0; i < cases.getLength(); i++) {
        tests.add(test((Element) cases.item(i)));
      }
    }
    TreeMap<String, List<Test>> byState =
        tests.stream().collect(Collectors.groupingBy(Test::state, TreeMap::new, Collectors.toList()));
    List<Test> failed = byState.getOrDefault("failed", List.of());
    List<Test> skipped = byState.getOrDefault("skipped", List.of());
    List<Test> unexpected =
        skipped.stream().filter(test -> !expected.contains(withoutArguments(test.name()))).toList();

    tests.stream()
        .sorted((a, b) -> Double.compare(seconds(b), seconds(a)))
        .limit(5)
        .forEach(test -> System.out.println("slow: " + test.time() + " s  " + test.name()));
    for (Test test : skipped) {
      String kind = unexpected.contains(test) ? "SKIPPED, unexpectedly: " : "skipped: ";
      System.out.println(kind + test.name() + ": " + test.reason());
    }
    failed.forEach(test -> System.out.println("FAILED: " + test.name() + ": " + test.reason()));
    boolean guestsMissing = args.length > 2 && args[2].equals("lab") && !guestsRan;
    if (guestsMissing) {
      System.out.println("FAILED: no test with a real guest ran");
    }
    int passed = tests.size() - failed.size() - skipped.size();
    System.out.println(
        passed + " passed, " + failed.size() + " failed, " + skipped.size() + " skipped");
    System.exit(
        passed > 0 && failed.isEmpty() && unexpected.isEmpty() && !guestsMissing ? 0 : 1);
  }

  private static List<Path> reports(Path repository) throws IOException {
    List<Path> reports = new ArrayList<>();
    for (String folder : new String[] {"surefire-reports", LAB_REPORTS}) {
      try (Stream<Path> modules = Files.list(repository)) {
        for (Path module : modules.sorted().toList()) {
          Path reportsOfModule = module.resolve("build").resolve(folder);
          if (Files.isDirectory(reportsOfModule)) {
            try (Stream<Path> files = Files.list(reportsOfModule)) {
              files.filter(TestReport::isReport).sorted().forEach(reports::add);
            }
          }
        }
      }
    }
    return reports;
  }

  private static boolean isReport(Path file) {
    String name = file.getFileName().toString();
    return name.startsWith("TEST-") && name.endsWith(".xml");
  }

  private static Test test(Element element) {
    String name = element.getAttribute("classname") + "#" + element.getAttribute("name");
    String time = element.getAttribute("time");
    for (String state : new String[] {"failure", "error", "skipped"}) {
      NodeList found = element.getElementsByTagName(state);
      if (found.getLength() > 0) {
        String reason = ((Element) found.item(0)).getAttribute("message").lines().findFirst().orElse("");
        return new Test(name, time, state.equals("skipped") ? "skipped" : "failed", reason);
      }
    }
    return new Test(name, time, "passed", "");
  }

  private static double seconds(Test test) {
    String plain = test.time().replace(",", "");
    return plain.isEmpty() ? 0 : Double.parseDouble(plain);
  }

  /** A parameterized test's name without the arguments of one run. */
  private static String withoutArguments(String name) {
    int end = name.length();
    for (char mark : new char[] {'(', '{', '['}) {
      int at = name.indexOf(mark);
      end = at < 0 ? end : Math.min(end, at);
    }
    return name.substring(0, end);
  }
}
