// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.index;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Where in their images the kernels that were seen last have their build-ids, so that such a kernel
 * is known again without a search. An entry says nothing until the bytes there were compared.
 */
public final class BuildIdNotes {
  private static final String NAME = "build-id-notes";

  /** What the stored numbers mean; one more with each change of that. */
  private static final int VERSION = 1;

  private static final int MOST = 16;
  private static final int MOST_ID = 64;

  /** Offset, length of the id, the id in words of big-endian order. */
  private static final int WORDS = 2 + MOST_ID / Integer.BYTES;

  private final IndexFolder folder;

  /**
   * @param path the folder of all indexes; need not exist
   */
  public BuildIdNotes(Path path) {
    this.folder = new IndexFolder(path, IndexFolder.DEFAULT_LIMIT);
  }

  /**
   * @param offset of the note from the start of the image
   * @param id in hexadecimal
   */
  public record Note(int offset, String id) {}

  /** Those that are known, the latest first. */
  public List<Note> known() {
    var known = new ArrayList<Note>();
    for (int[] words : folder.load(NAME, VERSION).orElse(new int[0][])) {
      if (words.length == WORDS && words[1] > 0 && words[1] <= MOST_ID) {
        var bytes = ByteBuffer.allocate(MOST_ID);
        for (int i = 2; i < WORDS; i++) {
          bytes.putInt(words[i]);
        }
        known.add(new Note(words[0], HexFormat.of().formatHex(bytes.array(), 0, words[1])));
      }
    }
    return known;
  }

  /** Keeps one for {@link #known}, in place of the oldest where there are too many. */
  public void keep(Note note) {
    var all = new ArrayList<Note>();
    all.add(note);
    known().stream().filter(other -> !other.equals(note)).limit(MOST - 1L).forEach(all::add);
    folder.store(NAME, VERSION, all.stream().map(BuildIdNotes::words).toArray(int[][]::new));
  }

  private static int[] words(Note note) {
    byte[] id = HexFormat.of().parseHex(note.id());
    var words = new int[WORDS];
    words[0] = note.offset();
    words[1] = id.length;
    var bytes = ByteBuffer.allocate(MOST_ID).put(id).rewind();
    for (int i = 2; i < WORDS; i++) {
      words[i] = bytes.getInt();
    }
    return words;
  }
}
