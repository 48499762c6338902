/** The explorer's mathematics. Nothing here touches a page: numbers in, numbers out. */

export * from "./address";
export * from "./alignment";
export * from "./camera";
export * from "./grids";
export * from "./ink";
export * from "./kept";
export * from "./neighbours";
export * from "./numbers";
export * from "./paths";
export * from "./planes";
export * from "./selection";
