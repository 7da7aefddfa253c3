// What a simulated board needs of the ECP5's own cells. The loop passes its input on: one period of
// the board's clock pin is one period of the design's clock, and so the clock of a memory's chip rises with it.
// Undriven lines are pulled up.

module IB(input I, output O);
  assign O = I;
endmodule

module OBZ(input I, input T, output O);
  assign O = T | I;
endmodule

module EHXPLLL #(
  parameter PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "", DPHASE_SOURCE = "", OUTDIVIDER_MUXA = "",
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_ENABLE = "", CLKOP_DIV = 1, CLKOP_CPHASE = 0,
  parameter CLKOP_FPHASE = 0, FEEDBK_PATH = "",
  parameter CLKOS_ENABLE = "DISABLED", CLKOS_DIV = 1, CLKOS_CPHASE = 0, CLKOS_FPHASE = 0
) (
  input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP, ENCLKOS,
  output CLKOP, CLKOS, LOCK
);
  assign CLKOP = CLKI;
  assign CLKOS = CLKI;
  assign LOCK = 1'b1;
endmodule

module DCCA(input CLKI, input CE, output CLKO);
  assign CLKO = CLKI;
endmodule

module BB(input I, input T, output O, inout B);
  assign B = T ? 1'bz : I;
  assign O = B;
endmodule

module OFS1P3DX(input SCLK, SP, CD, D, output reg Q);
  initial Q = 0;
  always @(posedge SCLK) if (SP) Q <= D;
endmodule

module IFS1P3DX(input SCLK, SP, CD, D, output reg Q);
  initial Q = 0;
  always @(posedge SCLK) if (SP) Q <= D;
endmodule

module ODDRX1F(input SCLK, RST, D0, D1, output Q);
  assign Q = SCLK ? D0 : D1;
endmodule

module FD1S3AX(input CK, D, output reg Q);
  initial Q = 0;
  always @(posedge CK) Q <= D;
endmodule
