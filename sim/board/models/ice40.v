// What a simulated board needs of the iCE40's own cells. The loop passes its input on: one period of
// the board's clock pin is one period of the design's clock. Undriven lines are pulled up.

module SB_IO #(
  parameter PIN_TYPE = 6'b0, PULLUP = 1'b0, NEG_TRIGGER = 1'b0, IO_STANDARD = ""
) (
  inout PACKAGE_PIN,
  input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
  output D_IN_0, D_IN_1
);
  assign D_IN_0 = PACKAGE_PIN;
  assign D_IN_1 = 1'b0;
  generate
    if (PIN_TYPE[5:2] == 4'b0110) assign PACKAGE_PIN = D_OUT_0;
    else if (PIN_TYPE[5:2] == 4'b1010) assign PACKAGE_PIN = D_OUT_0 | ~OUTPUT_ENABLE;
  endgenerate
endmodule

module SB_PLL40_PAD #(
  parameter FEEDBACK_PATH = "", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (
  input PACKAGEPIN, RESETB, BYPASS,
  output PLLOUTGLOBAL, LOCK
);
  assign PLLOUTGLOBAL = PACKAGEPIN;
  assign LOCK = 1'b1;
endmodule
