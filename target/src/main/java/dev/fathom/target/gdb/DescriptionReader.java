// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.BadDataException;
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Reads target descriptions (gdb's manual, appendix "Target Descriptions"): elements {@code
 * architecture}, {@code reg} and {@code xi:include} are used, everything else is passed over. A
 * register without {@code regnum} follows the one before it.
 */
final class DescriptionReader {
  static final int MAX_DOCUMENTS = 64;
  static final int MAX_NESTING = 8;
  static final int MAX_DEPTH = 64;
  static final int MAX_REGISTERS = 8192;
  static final int MAX_BITS = 1 << 20;
  static final int MAX_NUMBER = 1 << 20;
  private static final int MAX_NAME = 128;

  private final String name;
  private final Function<String, Optional<byte[]>> documents;
  private final XMLInputFactory factory;
  private final List<Description.Entry> registers = new ArrayList<>();
  private final HashSet<Integer> numbers = new HashSet<>();
  private String architecture = "";
  private int read;
  private int next;

  private DescriptionReader(String name, Function<String, Optional<byte[]>> documents) {
    this.name = name;
    this.documents = documents;
    factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    // The prefix of xi:include is declared in the DTD alone, which is not read.
    factory.setProperty(XMLInputFactory.IS_NAMESPACE_AWARE, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    factory.setProperty(XMLInputFactory.IS_REPLACING_ENTITY_REFERENCES, false);
    factory.setProperty(XMLInputFactory.IS_COALESCING, true);
    factory.setXMLResolver(
        (publicId, systemId, base, namespace) -> new ByteArrayInputStream(new byte[0]));
  }

  /**
   * Reads {@code target.xml} and what it includes.
   *
   * @param name the stub's address, for messages
   * @param documents gives a document by its name, where the stub has it
   * @throws BadDataException when it is no description, or larger than any real one
   */
  static Description read(String name, Function<String, Optional<byte[]>> documents) {
    var reader = new DescriptionReader(name, documents);
    reader.document("target.xml", 0);
    reader.registers.sort(Comparator.comparingInt(Description.Entry::number));
    return new Description(reader.architecture, reader.registers);
  }

  private void document(String document, int nesting) {
    String source = name + " " + document;
    if (nesting > MAX_NESTING || ++read > MAX_DOCUMENTS) {
      throw new BadDataException(
          source,
          0,
          "included "
              + (nesting > MAX_NESTING
                  ? nesting + " levels deep"
                  : "as one of too many documents"));
    }
    byte[] bytes =
        documents
            .apply(document)
            .orElseThrow(() -> new BadDataException(source, 0, "the stub does not have it"));
    try {
      // Decoded here, because the JDK's reader prints complaints about bad UTF-8 by itself.
      var text = new StringReader(new String(bytes, StandardCharsets.UTF_8));
      XMLStreamReader xml = factory.createXMLStreamReader(text);
      try {
        elements(xml, source, nesting);
      } finally {
        xml.close();
      }
    } catch (XMLStreamException e) {
      var at = e.getLocation();
      throw new BadDataException(
          source, at == null ? 0 : Math.max(0, at.getCharacterOffset()), reason(e));
    } catch (BadDataException e) {
      throw e;
    } catch (RuntimeException e) {
      // The JDK's reader lets a few exceptions of its own out for input that breaks its rules.
      throw new BadDataException(source, 0, "no well-formed XML: " + oneLine(e.getMessage()));
    }
  }

  private static String reason(XMLStreamException e) {
    String message = String.valueOf(e.getMessage());
    int line = message.lastIndexOf("\nMessage: ");
    return "no well-formed XML: " + oneLine(line < 0 ? message : message.substring(line + 10));
  }

  /** The reader quotes what it read, line breaks and all. */
  private static String oneLine(String message) {
    return String.valueOf(message).replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
  }

  private void elements(XMLStreamReader xml, String source, int nesting) throws XMLStreamException {
    int depth = 0;
    while (xml.hasNext()) {
      int event = xml.next();
      if (event == XMLStreamConstants.END_ELEMENT) {
        depth--;
      } else if (event == XMLStreamConstants.START_ELEMENT) {
        if (++depth > MAX_DEPTH) {
          throw bad(xml, source, "elements nested more than " + MAX_DEPTH + " deep");
        }
        switch (localName(xml)) {
          case "architecture" -> {
            String text = xml.getElementText().strip();
            architecture = text.length() > MAX_NAME ? "" : text;
            depth--;
          }
          case "reg" -> register(xml, source);
          case "include" -> {
            String href = xml.getAttributeValue(null, "href");
            if (href == null || href.isEmpty() || href.length() > MAX_NAME) {
              throw bad(xml, source, "include without a usable href");
            }
            document(href, nesting + 1);
          }
          default -> {}
        }
      }
    }
  }

  private static String localName(XMLStreamReader xml) {
    String element = xml.getLocalName();
    return element.substring(element.indexOf(':') + 1);
  }

  private void register(XMLStreamReader xml, String source) {
    String register = xml.getAttributeValue(null, "name");
    if (register == null || register.isEmpty() || register.length() > MAX_NAME) {
      throw bad(xml, source, "register without a usable name");
    }
    int bits =
        number(xml, source, "bitsize", MAX_BITS)
            .orElseThrow(() -> bad(xml, source, "register " + register + " without bitsize"));
    next = number(xml, source, "regnum", MAX_NUMBER).orElse(next);
    if (bits == 0 || registers.size() == MAX_REGISTERS || !numbers.add(next)) {
      throw bad(
          xml,
          source,
          bits == 0
              ? "register " + register + " of no bits"
              : registers.size() == MAX_REGISTERS
                  ? "more than " + MAX_REGISTERS + " registers"
                  : "second register of number " + next + ", " + register);
    }
    registers.add(
        new Description.Entry(
            register, next++, bits, attribute(xml, "type"), attribute(xml, "group")));
  }

  private static String attribute(XMLStreamReader xml, String attribute) {
    String value = xml.getAttributeValue(null, attribute);
    return value == null || value.length() > MAX_NAME ? "" : value;
  }

  private static Optional<Integer> number(
      XMLStreamReader xml, String source, String attribute, int most) {
    String value = xml.getAttributeValue(null, attribute);
    if (value == null) {
      return Optional.empty();
    }
    int number = 0;
    boolean good = !value.isEmpty() && value.length() <= 9;
    for (int i = 0; good && i < value.length(); i++) {
      int digit = value.charAt(i) - '0';
      good = digit >= 0 && digit <= 9;
      number = 10 * number + digit;
    }
    if (!good || number > most) {
      String shown = value.length() > 20 ? value.substring(0, 20) + "..." : value;
      throw bad(xml, source, attribute + " '" + shown + "', expected 0 to " + most);
    }
    return Optional.of(number);
  }

  private static BadDataException bad(XMLStreamReader xml, String source, String what) {
    return new BadDataException(source, Math.max(0, xml.getLocation().getCharacterOffset()), what);
  }
}
