/**
 * The Capstone disassembler as a WebAssembly program that the build has translated to bytecode
 * (docs/decisions/0004-capstone.md). Enters: code bytes. May use base, model and the WebAssembly
 * runtime. The classes of {@code dev.fathom.capstone.wasm} are made by the build.
 */
package dev.fathom.capstone;
