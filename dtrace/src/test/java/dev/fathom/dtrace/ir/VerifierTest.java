// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VerifierTest {
  private static final Expr ONE = new Expr.Int(1);
  private static final Expr TEXT = new Expr.Text("a");
  private static final DVariable NUMBER =
      new DVariable(0, "x", DVariable.Scope.GLOBAL, IrType.INT, List.of());
  private static final DVariable ARRAY =
      new DVariable(1, "a", DVariable.Scope.GLOBAL, IrType.STRING, List.of(IrType.INT));
  private static final Aggregation COUNT =
      new Aggregation(1, "c", AggregationFunction.COUNT, List.of(), List.of());
  private static final Aggregation SUM =
      new Aggregation(
          2, "s", AggregationFunction.SUM, List.of(new Shape(Shape.Form.STRING, 256)), List.of());

  private static IrProgram program(Clause clause, Limits limits) {
    return new IrProgram(List.of(NUMBER, ARRAY), List.of(COUNT, SUM), List.of(clause), limits);
  }

  private static void verify(Stmt statement, Action... actions) {
    Verifier.verify(
        program(
            new Clause(0, ":::BEGIN", 1, Optional.empty(), List.of(statement), List.of(actions), 2),
            Limits.DEFAULT));
  }

  private static void refused(String why, Stmt statement, Action... actions) {
    assertThatThrownBy(() -> verify(statement, actions))
        .isInstanceOf(EvalException.class)
        .hasMessageContaining("clause 0 (:::BEGIN)")
        .hasMessageContaining(why);
  }

  private static Stmt of(Expr e) {
    return new Stmt.Evaluate(e);
  }

  @Test
  void whatTheCompilerMakesPasses() {
    assertThatCode(
            () -> {
              verify(of(new Expr.Set(0, List.of(), ONE)));
              verify(of(new Expr.Set(1, List.of(ONE), TEXT)));
              verify(of(new Expr.Let(0, TEXT, new Expr.Local(0, IrType.STRING))));
              verify(new Stmt.Aggregate(2, List.of(TEXT), Optional.of(ONE), Optional.empty()));
              verify(
                  new Stmt.Emit(0, List.of(ONE)),
                  new Action.Trace(new Shape(Shape.Form.SIGNED, 4)));
            })
        .doesNotThrowAnyException();
  }

  @Test
  void referencesLeadSomewhere() {
    refused("variable 2 of 2", of(new Expr.Get(2, List.of(), IrType.INT)));
    refused("variable -1 of 2", of(new Expr.Set(-1, List.of(), ONE)));
    refused("action 0 of 0", new Stmt.Emit(0, List.of()));
    refused(
        "aggregation 3 of 2", new Stmt.Aggregate(3, List.of(), Optional.empty(), Optional.empty()));
    refused("aggregation 9 of 2", new Stmt.Emit(0, List.of()), new Action.Clear(9));
    refused("argument 10", of(new Expr.Argument(10)));
    refused("slot 2 of 2", of(new Expr.Let(2, ONE, ONE)));
    refused("slot 1 is not bound", of(new Expr.Local(1, IrType.INT)));
    refused("slot 0 is bound twice", of(new Expr.Let(0, ONE, new Expr.Let(0, ONE, ONE))));
  }

  @Test
  void operandsHaveTheirTypes() {
    refused(
        "an operand of type STRING where INT is taken",
        of(new Expr.Binary(Expr.BinaryOp.ADD, ONE, TEXT)));
    refused("where STRING is taken", of(new Expr.Call(Subroutine.STRLEN, List.of(ONE))));
    refused("x read as STRING", of(new Expr.Get(0, List.of(), IrType.STRING)));
    refused("where STRING is taken", of(new Expr.Set(1, List.of(ONE), ONE)));
    refused("a has 1 keys, 0 given", of(new Expr.Get(1, List.of(), IrType.STRING)));
    refused("slot 0 is used as STRING", of(new Expr.Let(0, ONE, new Expr.Local(0, IrType.STRING))));
    refused("where a blob is taken", of(new Expr.Part(ONE, ONE, 4, false)));
    refused("a number of 3 bytes", of(new Expr.Load(Space.KERNEL, 3, false, ONE)));
    refused("extension of 64 bits", of(new Expr.Extend(64, true, ONE)));
    refused("strings compared by ADD", of(new Expr.CompareStrings(Expr.BinaryOp.ADD, TEXT, TEXT)));
    refused("takes 1 arguments", of(new Expr.Call(Subroutine.STRLEN, List.of())));
  }

  @Test
  void valuesFitTheirActions() {
    var trace = new Action.Trace(new Shape(Shape.Form.SIGNED, 4));
    refused("has 1 values, 0 emitted", new Stmt.Emit(0, List.of()), trace);
    refused("where INT is taken", new Stmt.Emit(0, List.of(TEXT)), trace);
    refused("is no exit", new Stmt.Exit(0, ONE), trace);
    refused("ends no speculation", new Stmt.EndSpeculation(0, ONE), trace);
    refused("by a statement of its own", new Stmt.Emit(0, List.of(ONE)), new Action.Exit());
    refused(
        "has 1 keys, 0 given",
        new Stmt.Aggregate(2, List.of(), Optional.of(ONE), Optional.empty()));
    refused("do not agree", new Stmt.Aggregate(1, List.of(), Optional.of(ONE), Optional.empty()));
    refused(
        "takes no increment",
        new Stmt.Aggregate(2, List.of(TEXT), Optional.of(ONE), Optional.of(ONE)));
  }

  @Test
  void onlyTheLimitsAllowDestruction() {
    var raise = new Stmt.Destroy(Stmt.Destruction.RAISE, List.of(ONE));
    refused("raise changes things", raise);
    refused(
        "copyoutstr changes things",
        of(new Expr.Call(Subroutine.COPYOUTSTR, List.of(TEXT, ONE, ONE))));
    var d = Limits.DEFAULT;
    var allowed =
        new Limits(
            d.strsize(),
            d.dynvarsize(),
            d.scratchsize(),
            d.nspec(),
            d.stackframes(),
            d.ustackframes(),
            true);
    assertThatCode(
            () ->
                Verifier.verify(
                    program(
                        new Clause(
                            0, ":::BEGIN", 1, Optional.empty(), List.of(raise), List.of(), 0),
                        allowed)))
        .doesNotThrowAnyException();
  }

  @Test
  void hostileDepthIsRefused() {
    Expr deep = ONE;
    for (int i = 0; i < 3000; i++) {
      deep = new Expr.Unary(Expr.UnaryOp.NOT, deep);
    }
    refused("nested deeper", of(deep));
  }
}
