/**
 * The disassembler that the system's libcapstone offers. Enters: code bytes. May use base, model
 * and native calls.
 */
package dev.fathom.host.capstone;
