/**
 * Finds and opens the files with debug information that belong to a program, library, kernel or
 * module: on this machine by build-id, debug link and name, and on the debuginfod servers that the
 * user has configured. What is wanted enters; opened files, and where they were searched, go out. A
 * file of another build is refused. May use {@code format}, {@code model}'s neighbours in {@code
 * symbols}, and the JDK's HTTP client.
 */
package dev.fathom.symbols.debugfile;
