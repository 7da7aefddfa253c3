// What a simulated board needs of the Gowin parts' own cells. The loop passes its input on: one period
// of the board's clock pin is one period of the design's clock. Undriven lines are pulled up.

module IBUF(input I, output O);
  assign O = I;
endmodule

module OBUF(input I, output O);
  assign O = I;
endmodule

module TBUF(input I, OEN, output O);
  assign O = I | OEN;
endmodule

module rPLL #(
  parameter FCLKIN = "", DEVICE = "", IDIV_SEL = 0, FBDIV_SEL = 0, ODIV_SEL = 8, CLKFB_SEL = ""
) (
  input CLKIN, CLKFB, RESET, RESET_P,
  input [5:0] FBDSEL, IDSEL, ODSEL,
  input [3:0] PSDA, DUTYDA, FDLY,
  output CLKOUT, LOCK
);
  assign CLKOUT = CLKIN;
  assign LOCK = 1'b1;
endmodule
