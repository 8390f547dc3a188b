bench.start();
