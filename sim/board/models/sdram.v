// A 256 Mb SDRAM chip of 16 bits, AS4C16M16SA-7, as its data sheet (Alliance Memory, Rev. 3.0) describes it:
// commands, mode, bursts, and every time between commands. Written from the sheet alone: it takes no number from
// the controller. Time is counted in edges of the clock, PERIOD picoseconds each. What breaks a rule is named
// in `fault` as long as there is power, the first one only: text, 0 where there was none.
//
// Not modelled, and a fault where it is used: auto-precharge, interleaved order, full pages, power-down, self
// refresh. Words that are not driven are noise; `dq_on` says when some are.

module sdram #(
  parameter PERIOD = 10000,
  // Addresses that are told apart: a smaller chip for those who use a part of it
  parameter ADDRESS_BITS = 24,
  // Of a chip of fewer rows and columns, which has no others
  parameter ROW_BITS = 13, COLUMN_BITS = 9,
  // Table 16 of the sheet, picoseconds; the speed grade is -7
  parameter T_RC = 63000, T_RFC = 63000, T_RCD = 21000, T_RP = 21000, T_RRD = 14000, T_MRD = 14000,
  parameter T_RAS = 42000, T_RAS_LONGEST = 120000000, T_WR = 14000, T_CK2 = 10000, T_CK3 = 7000,
  parameter T_REFI = 7812500, T_POWER_UP = 200000000
) (
  input clk, power, cke, cs_n, ras_n, cas_n, we_n,
  input [1:0] ba, dqm,
  input [12:0] a,
  input [15:0] dq_i,
  input dq_driven,
  output [15:0] dq_o,
  output dq_on,
  output reg [127:0] fault
);
  localparam FIRST_REFRESHES = 2;

  reg [15:0] cells [0:(1 << ADDRESS_BITS) - 1];
    reg [12:0] row [0:3];
  reg [3:0] opened = 0;
  reg [63:0] now = 0, refreshed = 0, moded = 0, last_activate = 0;
  reg [63:0] activated [0:3], precharged [0:3], written [0:3];
  reg precharged_once = 0, ready = 0, late = 0;
  reg [7:0] refreshes = 0;
  reg [1:0] latency = 0;
  reg [3:0] length = 0;
  reg single_write = 0;

  // Bursts: words left, where the next one is; words on their way to the pins
  reg [3:0] left = 0;
  reg writing = 0;
  reg [1:0] bank = 0;
  reg [8:0] column = 0;
  reg [ADDRESS_BITS - 1:0] place;
  reg [15:0] out1 = 0, out2 = 0, out3 = 0, noise = 16'hACE1;
  reg on1 = 0, on2 = 0, on3 = 0;
  reg [1:0] masked = 0, masked_before = 0;
  wire [8:0] wrap = {5'd0, length} - 9'd1;
  wire on = latency == 3 ? on3 : on2;
  wire [15:0] out = latency == 3 ? out3 : out2;
  assign dq_on = on;
  assign dq_o[7:0] = on && !masked_before[0] ? out[7:0] : noise[7:0];
  assign dq_o[15:8] = on && !masked_before[1] ? out[15:8] : noise[15:8];

  integer n;
  task forget;
    begin
      fault = 0;
      now = 0; refreshed = 0; moded = 0; last_activate = 0;
      opened = 0; precharged_once = 0; ready = 0; late = 0; refreshes = 0; left = 0;
      for (n = 0; n < 4; n = n + 1) begin
        activated[n] = 0; precharged[n] = 0; written[n] = 0; row[n] = 0;
      end
    end
  endtask
  initial forget;

  task broken(input [127:0] what);
    if (fault == 0) begin
      fault = what;
      $display("sdram: %0s at %0d ns", what, now / 1000);
    end
  endtask

  task need(input [63:0] since, input [63:0] time_, input [127:0] what);
    if (now < since + time_) broken(what);
  endtask

  task precharge(input [1:0] which);
    begin
      if (opened[which]) begin
        need(activated[which], T_RAS, "tRAS");
        need(written[which], T_WR, "tWR");
        if (now > activated[which] + T_RAS_LONGEST) broken("tRAS longest");
        precharged[which] = now;
      end
      opened[which] = 0;
      if (left != 0 && bank == which) left = 0;
    end
  endtask

  task begin_burst(input is_write);
    begin
      if (!ready) broken("mode not set");
      if (!opened[ba]) broken("row not open");
      need(activated[ba], T_RCD, "tRCD");
      if (a[10]) broken("auto-precharge");
      if (a[12:11] != 0 || a[9:0] >> COLUMN_BITS != 0) broken("column");
      bank = ba;
      column = a[8:0];
      writing = is_write;
      left = is_write && single_write ? 1 : length;
    end
  endtask

  task transfer;
    begin
      if (writing) begin
        if (!dq_driven) broken("nothing written");
        if (!dqm[0]) cells[place][7:0] = dq_i[7:0];
        if (!dqm[1]) cells[place][15:8] = dq_i[15:8];
        written[bank] = now;
      end
      left = left - 1;
      column = (column & ~wrap) | ((column + 1) & wrap);
    end
  endtask

  always @(posedge clk) begin
    now = now + PERIOD;
    noise <= {noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]};
    masked <= dqm;
    masked_before <= masked;
    if (on && dq_driven) broken("both drive");
    if (ready && now > refreshed + T_REFI && !late) begin
      broken("tREFI");
      late = 1;
    end
    if (power && cke && !cs_n) case ({ras_n, cas_n, we_n})
      3'b111: ;
      3'b011: begin
        if (!ready) broken("mode not set");
        if (opened[ba]) broken("row is open");
        if (a >> ROW_BITS != 0) broken("row");
        need(precharged[ba], T_RP, "tRP");
        need(activated[ba], T_RC, "tRC");
        need(last_activate, T_RRD, "tRRD");
        need(refreshed, T_RFC, "tRFC");
        need(moded, T_MRD, "tMRD");
        opened[ba] = 1;
        row[ba] = a;
        activated[ba] = now;
        last_activate = now;
      end
      3'b101: begin_burst(0);
      3'b100: begin_burst(1);
      3'b010: begin
        if (now < T_POWER_UP) broken("power-up");
        need(refreshed, T_RFC, "tRFC");
        need(moded, T_MRD, "tMRD");
        if (a[10]) begin
          precharged_once = 1;
          for (n = 0; n < 4; n = n + 1) precharge(n[1:0]);
          if (!ready) for (n = 0; n < 4; n = n + 1) precharged[n] = now;
        end else precharge(ba);
      end
      3'b001: begin
        if (!precharged_once) broken("not precharged");
        if (opened != 0) broken("row is open");
        for (n = 0; n < 4; n = n + 1) need(precharged[n], T_RP, "tRP");
        need(refreshed, T_RFC, "tRFC");
        need(moded, T_MRD, "tMRD");
        refreshed = now;
        late = 0;
        if (refreshes != 8'hFF) refreshes = refreshes + 1;
      end
      3'b000: begin
        if (!precharged_once || refreshes < FIRST_REFRESHES) broken("set up");
        if (opened != 0) broken("row is open");
        for (n = 0; n < 4; n = n + 1) need(precharged[n], T_RP, "tRP");
        need(refreshed, T_RFC, "tRFC");
        if (a[12:10] != 0 || a[8:7] != 0 || a[3] || ba != 0 || a[2]) broken("mode");
        if (a[6:4] != 2 && a[6:4] != 3) broken("mode");
        if (PERIOD < (a[6:4] == 2 ? T_CK2 : T_CK3)) broken("CAS latency");
        latency = a[5:4];
        length = 4'd1 << a[1:0];
        single_write = a[9];
        moded = now;
        ready = 1;
      end
      default: broken("command");
    endcase

    // A word that is fetched at this edge is there `latency` edges later
    on1 <= left != 0 && !writing;
    place = ADDRESS_BITS'({row[bank], bank, column});
    out1 <= cells[place];
    on2 <= on1;
    out2 <= out1;
    on3 <= on2;
    out3 <= out2;
    if (left != 0) transfer;
    if (!power) forget;
  end
endmodule
