// A board with a memory on a desk: what is soldered beside the design. Pins as amaranth-boards names them.

module desk (input clock, input rx, output tx, output broken);
  wire cke, cs_n, ras_n, cas_n, we_n, chip_clock, chip_on;
  wire [1:0] ba, dqm;
  wire [12:0] a;
  wire [15:0] dq, out;
  wire [127:0] fault;
  assign dq = chip_on ? out : 16'hzzzz;
  assign broken = fault != 0;

  top board (
    .\clk25_0__io (clock), .\uart_0__rx__io (rx), .\uart_0__tx__io (tx),
    .\sdram_0__clk__io (chip_clock), .\sdram_0__clk_en__io (cke), .\sdram_0__cs__io (cs_n),
    .\sdram_0__ras__io (ras_n), .\sdram_0__cas__io (cas_n), .\sdram_0__we__io (we_n),
    .\sdram_0__ba__io (ba), .\sdram_0__a__io (a), .\sdram_0__dqm__io (dqm), .\sdram_0__dq__io (dq)
  );
  sdram #(.PERIOD(@PERIOD@)) chip (
    .clk(chip_clock), .power(1'b1), .cke(cke), .cs_n(cs_n), .ras_n(ras_n), .cas_n(cas_n), .we_n(we_n),
    .ba(ba), .a(a), .dqm(dqm), .dq_i(dq), .dq_driven(!chip_on), .dq_o(out), .dq_on(chip_on), .fault(fault)
  );
endmodule
