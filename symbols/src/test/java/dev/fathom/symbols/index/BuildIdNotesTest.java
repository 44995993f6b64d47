// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.index;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.symbols.index.BuildIdNotes.Note;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildIdNotesTest {
  @TempDir Path folder;

  @Test
  void keepsTheLatestFirstAndForgetsTheOldest() {
    var notes = new BuildIdNotes(folder);
    assertThat(notes.known()).isEmpty();
    for (int i = 0; i < 20; i++) {
      notes.keep(new Note(0x1000 * i, String.format("%02x", i).repeat(20)));
    }
    assertThat(notes.known()).hasSize(16);
    assertThat(notes.known().getFirst()).isEqualTo(new Note(0x13000, "13".repeat(20)));
    notes.keep(new Note(0x5000, "05".repeat(20)));
    assertThat(new BuildIdNotes(folder).known().getFirst())
        .isEqualTo(new Note(0x5000, "05".repeat(20)));
    assertThat(notes.known()).hasSize(16).doesNotHaveDuplicates();
  }

  @Test
  void idsOfAnyLengthComeBack() {
    var notes = new BuildIdNotes(folder);
    for (int length : new int[] {8, 16, 20, 63, 64}) {
      var note = new Note(length, "e7".repeat(length));
      notes.keep(note);
      assertThat(notes.known().getFirst()).isEqualTo(note);
    }
  }

  @Test
  void aDamagedFileIsForgotten() throws IOException {
    var notes = new BuildIdNotes(folder);
    notes.keep(new Note(1, "ab".repeat(20)));
    try (var files = Files.list(folder)) {
      Files.write(files.findFirst().orElseThrow(), new byte[40]);
    }
    assertThat(notes.known()).isEmpty();
  }
}
